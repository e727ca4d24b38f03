"""``deepfake predict``."""

import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepfake_cli.cli.conditions import print_cards
from deepfake_cli.cli.console import console, next_step, print_json, progress, short, table, warn, wrote
from deepfake_cli.config import Predict
from deepfake_cli.config.command_line import command
from deepfake_cli.errors import DatasetError

if TYPE_CHECKING:
    from deepfake_cli.commands.predict import PredictResult
    from deepfake_cli.inference.result import Verdict, Verdicts

FAILED_ON = 3  # exit status of --fail-on
STYLES = {"fake": "bold dark_orange", "real": "bold dodger_blue1", "undecided": "dim"}  # as in the plots


def predict(
    settings: Predict, json: Annotated[bool, typer.Option("--json", help="Print the verdicts as JSON")] = False
) -> None:
    """Classify videos and images as real, fake or undecided."""
    if settings.verify:
        from deepfake_cli.cli.case import verify

        verify(settings.verify, settings.signed_by, json)
        return
    from deepfake_cli.commands.predict import predict as run

    with progress("frames") as bar:
        task = bar.add_task("predict", total=None, note="")

        def begin(path: Path, number: int, count: int) -> None:
            bar.reset(task, description=f"file {number:,} of {count:,}", total=None, note=path.name)

        def advance(path: Path, done: int, total: int) -> None:
            bar.update(task, completed=done, total=max(total, done) or None)

        result = run(settings, advance, begin)
    _warn_of_skipped(result)
    if json:
        _print_json(result, case=settings.case is not None)
    else:
        _print(result, settings)
    if result.missed:
        raise typer.Exit(FAILED_ON)
    if result.closed:
        raise DatasetError(
            f"Folders that could not be listed: {len(result.closed)}. None of their files was classified."
        )


def _warn_of_skipped(result: "PredictResult") -> None:
    if result.skipped:
        some = ", ".join(path.name for path in result.skipped[:5]) + (" …" if len(result.skipped) > 5 else "")
        warn(
            f"Skipped {len(result.skipped)} files that are not named as videos or images: {some}. To classify one, name it."
        )
    for path, reason in result.unread.items():
        warn(f"{path}: {reason}")


def _print_json(result: "PredictResult", *, case: bool) -> None:
    print_json(
        {
            "detector": result.detector,
            "rates": result.rates,
            "terms": result.terms,
            "skipped": list(map(str, result.skipped)),
            "unread": {str(path): reason for path, reason in result.unread.items()},
            "verdicts": [verdict.facts() for verdict in result.verdicts],
        }
        | ({"case_sha256": result.case_sha256} if case else {})
    )


def _print(result: "PredictResult", settings: Predict) -> None:
    """Print the verdicts with their notes, the files written, and the next command."""
    console.print(f"Detector: {result.detector}")
    if result.terms:
        warn(result.terms)
    console.print(_table(result.verdicts))
    if len(result) > 1:
        console.print(_summary(result.verdicts))
    if not print_cards(result.verdicts, verbal=settings.verbal) and result.rates:
        console.print(result.rates)
    for verdict in result.verdicts:
        for note in verdict.notes:
            warn(f"{verdict.path}: {note}")
        for line in verdict.record.origin_lines if verdict.record else ():
            console.print(f"{verdict.path}: {line}")
    _print_written(result, settings)


def _print_written(result: "PredictResult", settings: Predict) -> None:
    if result.written:
        console.print(f"Wrote {len(result.written):,} images and videos to {short(settings.explain or '')}")
    if pages := [path for path in (settings.report, settings.csv, settings.frames_csv) if path]:
        wrote(*pages)
    if settings.case:
        console.print(f"Wrote the case to {short(settings.case)}/. SHA-256 of its SHA256SUMS: {result.case_sha256}")
        next_step("predict", "--verify", settings.case)
    elif settings.report:
        next_step("app")
    else:
        again = settings.model_copy(update={"report": Path("report.html")})
        next_step(*shlex.split(command("predict", again))[1:])


def _table(verdicts: "Verdicts") -> Any:
    score = "probability\nof fake" if any(verdict.calibrated for verdict in verdicts) else "score"
    names = Counter(verdict.path.name for verdict in verdicts)
    rows = [_row(verdict, names[verdict.path.name] == 1) for verdict in verdicts]
    return table(None, ["file", "verdict", score, "frames", "reason"], rows, STYLES)


def _summary(verdicts: "Verdicts") -> str:
    """The number of verdicts of each kind, and of files without a score."""
    counts = ", ".join(f"{count:,} {label}" for label, count in verdicts.counts.items())
    unjudged = sum(verdict.score is None for verdict in verdicts)
    return f"{len(verdicts):,} files: {counts}" + (f" ({unjudged:,} not judged)" if unjudged else "") + "."


def _row(verdict: "Verdict", unique: bool) -> tuple[str, ...]:
    ends = verdict.interval
    interval = f" ({ends[0]:.3f}–{ends[1]:.3f})" if ends else ""
    score = "" if verdict.score is None else f"{verdict.score:.3f}{interval}"
    judged = len(verdict.faces[0].timeline.judged) if verdict.faces else 0
    frames = f"{judged:,}" if judged else ""
    name = verdict.path.name if unique else str(verdict.path)
    return name, verdict.label, score, frames, verdict.reason

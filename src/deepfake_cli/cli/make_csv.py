"""``deepfake make-csv``."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from deepfake_cli.cli.console import console, next_step, print_json, short, table, warn, wrote
from deepfake_cli.config import LISTS, MakeCsv
from deepfake_cli.errors import DatasetError

if TYPE_CHECKING:
    from deepfake_cli.commands.make_csv import MakeCsvResult

COLUMNS = ("part", "class", "frames", "videos", "groups")


def make_csv(
    settings: MakeCsv, json: Annotated[bool, typer.Option("--json", help="Print the result as JSON")] = False
) -> None:
    """Write training, validation and test lists without leakage.

    No two lists share a person or a source video. --check checks lists that are there.
    """
    if settings.check:
        from deepfake_cli.cli.check import check

        return check(settings, json)
    from deepfake_cli.commands.make_csv import make_csv as run

    result = run(settings)
    _warn(result)
    if json:
        print_json(
            {
                "lists": {part: str(path) for part, path in result.paths.items()},
                "protocol": str(result.protocol),
                "counts": result.counts,
                "unlisted": result.unlisted,
                "not_in_the_published_split": result.left_out,
                "shared_groups": result.shared,
                "warnings": result.warnings,
                "unread": {str(path): reason for path, reason in (result.unread | result.closed).items()},
            }
        )
    else:
        _print(result, settings)
    if result.closed:
        raise DatasetError(
            f"Folders that could not be listed: {len(result.closed)}. The lists are without their images."
        )
    if not json:
        _name_training(result, settings)
    return None


def _name_training(result: "MakeCsvResult", settings: MakeCsv) -> None:
    """Print the command that trains on the lists, or on those of the first fold."""
    train, validation = (
        next(path for part, path in result.paths.items() if part.split("/")[-1] == name) for name in ("train", "val")
    )
    is_default = settings.csvdir == LISTS and not settings.folds
    only_real = not any(row["videos"] for row in result.counts if row["class"] == "fake")
    next_step(
        "train",
        *(() if is_default else (train, "--val-annotations", validation)),
        *(("--real-only", "--forgery", "cross_blend") if only_real else ()),
    )


def _print(result: "MakeCsvResult", settings: MakeCsv) -> None:
    console.print(table(None, COLUMNS, [[row[name] for name in COLUMNS] for row in result.counts]))
    if settings.folds:
        console.print(f"Wrote {len(result.paths)} lists in {short(settings.csvdir)}")
    wrote(*(result.paths.values() if not settings.folds else ()), result.protocol)
    own = () if settings.csvdir == LISTS else ("--csvdir", settings.csvdir)
    console.print(
        f"Look for shared images and people: {shlex.join(['deepfake', 'make-csv', '--check', *map(str, own)])}"
    )


def _warn(result: "MakeCsvResult") -> None:
    if result.unlisted:
        count = len(result.unlisted)
        warn(
            f"{count} videos have no usable frame. They are listed without an image, so that evaluate "
            f"counts them: {_some(result.unlisted)}"
        )
    unread = result.unread | result.closed
    for reason in sorted(set(unread.values())):
        warn(f"Not read: {reason}: {_some([str(path) for path, why in unread.items() if why == reason])}")
    if result.left_out:
        warn(
            f"{len(result.left_out)} videos are not in the published split, so they are in no list: {_some(result.left_out)}"
        )
    for parts, groups in result.shared.items():
        warn(f"The published split shares {len(groups)} groups between {parts.replace(', ', ' and ')}: {_some(groups)}")
    if not any(row["videos"] for row in result.counts if row["class"] == "fake"):
        warn("All frames are real. Train on pseudo-fakes: deepfake train --real-only --forgery cross_blend")
    for warning in result.warnings:
        warn(warning)


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + " …" * (len(names) > 5)

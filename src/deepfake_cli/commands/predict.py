"""``deepfake predict``: files to verdicts."""

import glob
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from deepfake_cli.config import Predict
from deepfake_cli.config.command_line import command
from deepfake_cli.errors import ConfigError
from deepfake_cli.explain.files import Reasons
from deepfake_cli.inference.detector import Detector
from deepfake_cli.inference.on_cluster import predict_there
from deepfake_cli.inference.result import Verdict
from deepfake_cli.media.video import VIDEO_SUFFIXES, is_frame
from deepfake_cli.storage import remote
from deepfake_cli.storage.files import write_text

Progress = Callable[[Path, int, int], None]  # a file, and how many of how many of its frames are done


@dataclass
class PredictResult:
    """What `predict` found.

    Attributes:
        verdicts: one a file, in order.
        detector: which detector judged, in words.
        rates: how often it erred where that was measured, in words; empty if nobody did.
        missed: whether a verdict is one that `Predict.fail_on` names.
        written: pictures and films.
    """

    verdicts: list[Verdict]
    detector: str
    rates: str
    missed: bool
    written: list[Path]


def predict(settings: Predict, progress: Progress = lambda path, done, total: None) -> PredictResult:
    """Judge files, one after the other or on a cluster's machines; a bad one never stops the others.

    Args:
        settings: see `deepfake_cli.config.Predict`.
        progress: called as frames are judged; on a cluster, as files are.

    Raises:
        ConfigError: no file is named, or a pattern or a folder has none.
        ModelError: the detector can't be loaded.
        ClusterError: there is no such cluster, or one of its machines doesn't see our files.
    """
    paths = list(files(settings.paths))
    detector = Detector.load(
        settings.detector, runtime=settings.runtime, threads=settings.threads, threshold=settings.threshold
    )
    reasons = Reasons(detector, settings.explain, wants_page=settings.report is not None)
    judged = (
        predict_there(settings, paths, progress) if settings.cluster else _here(settings, paths, detector, progress)
    )
    verdicts = []
    for verdict in judged:
        reasons.add(verdict, partial(progress, verdict.path))
        verdicts.append(verdict)
    if settings.report:
        from deepfake_cli.explain.page import page

        write_text(settings.report, page(reasons.parts, detector, command("predict", settings)))
    if settings.csv:
        write_csv(settings.csv, map(row, verdicts))
    if settings.frames_csv:
        write_csv(settings.frames_csv, (each for verdict in verdicts for each in frame_rows(verdict)))
    called = {"any": ("fake", "undecided"), None: ()}.get(settings.fail_on, (settings.fail_on,))
    name = settings.detector or f"the starter detector of this package ({detector.traits.model})"
    words = f"{name} on {detector.network.runs_on}, {detector.thresholds}"
    missed = any(verdict.label in called for verdict in verdicts)
    return PredictResult(verdicts, words, detector.rates, missed, reasons.written)


def _here(settings: Predict, paths: Iterable[Path], detector: Detector, progress: Progress) -> Iterator[Verdict]:
    """Judge on this machine, one file after the other: a network fills all cores by itself."""
    for path in paths:
        yield detector.predict(path, **settings.per_file, progress=partial(progress, path))


def files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files that paths, folders and patterns name, each once.

    Raises:
        ConfigError: there is none.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if remote.is_remote(path):
            inside = [each for each in remote.find(path) if _is_named_so(each)] or [path]
        elif path.is_dir():
            inside = [each for each in sorted(path.rglob("*")) if _is_media(each)]
            if not inside:
                raise ConfigError(f"{path}: no video and no image is in this folder.")
        elif not path.exists() and glob.has_magic(str(path)):
            named = sorted(map(Path, glob.glob(str(path), recursive=True)))  # noqa: PTH207 - an absolute pattern, too
            inside = [each for each in named if each.is_file()]
            if not inside:
                raise ConfigError(f"{path}: no file is called so.")
        else:
            inside = [path]  # if it is not there, its verdict says so
        found |= dict.fromkeys(inside)
    if not found:
        raise ConfigError("No file is named: deepfake predict clip.mp4, a folder, or 'clips/*.mp4'.")
    return iter(found)


def _is_media(path: Path) -> bool:
    return path.is_file() and _is_named_so(path)


def _is_named_so(path: Path) -> bool:
    return not path.name.startswith(".") and (path.suffix.lower() in VIDEO_SUFFIXES or is_frame(path))


def row(verdict: Verdict) -> dict[str, Any]:
    """A verdict as a row of ``--csv``."""
    facts = verdict.facts()
    names = ("path", "verdict", "score", "probability", "low", "high", "threshold", "frames", "reason", "seconds")
    return {name: facts[name] for name in names} | {"notes": "; ".join(verdict.notes)}


def frame_rows(verdict: Verdict) -> Iterator[dict[str, Any]]:
    """A verdict's faces as rows of ``--frames-csv``."""
    for number, face in enumerate(verdict.faces):
        for place in range(len(face.timeline)):
            moment = face.timeline[place]
            yield {
                "path": remote.url(verdict.path),
                "face": number,
                "frame": moment.frame,
                "time": round(moment.frame / verdict.fps, 3) if verdict.fps else "",
                "score": "" if moment.score != moment.score else round(moment.score, 4),
                "box": moment.box.text,
            }


def write_csv(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows of one kind as CSV, whole or not at all."""
    import csv
    import io

    text = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for each in rows:
        if writer is None:
            writer = csv.DictWriter(text, list(each))
            writer.writeheader()
        writer.writerow(each)
    write_text(path, text.getvalue())

"""``deepfake predict``: classify files."""

import glob
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
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
from deepfake_cli.storage.csv_cells import write_rows
from deepfake_cli.storage.files import write_text
from deepfake_cli.storage.folders import CIRCLE, below, exists, is_folder

Progress = Callable[[Path, int, int], None]  # file, frames done, total
COLUMNS = (
    "path", "verdict", "score", "probability", "low", "high", "threshold", "frames", "reason", "seconds", "notes",
)  # fmt: skip
FRAME_COLUMNS = ("path", "face", "frame", "time", "score", "box")
ALSO = frozenset({  # suffixes of media that data sets do not have
        ".264", ".265", ".apng", ".avif", ".dib", ".gif", ".h264", ".heic", ".heif", ".hevc", ".hif", ".ivf", ".j2k",
        ".jfif", ".jp2", ".jpe", ".jxl", ".m2p", ".mpe", ".mpo", ".nut", ".ogx", ".pbm", ".pgm", ".pnm", ".ppm", ".rm",
        ".rmvb", ".wtv",
})  # fmt: skip


@dataclass
class PredictResult:
    """Result of `predict`.

    Attributes:
        verdicts: one per file, in order.
        detector: name, runtime and thresholds of the detector, as text.
        rates: its measured error rates, as text; empty if not measured.
        missed: whether a verdict matches `Predict.fail_on`.
        written: images and videos written.
        skipped: files of the given folders and patterns that are not named as videos or images.
        unread: folders that cannot be listed, and links to folders that are read already, with the reason.
    """

    verdicts: list[Verdict]
    detector: str
    rates: str
    missed: bool
    written: list[Path]
    skipped: list[Path] = field(default_factory=list)
    unread: dict[Path, str] = field(default_factory=dict)

    @property
    def closed(self) -> list[Path]:
        """The folders that cannot be listed; each has an undecided verdict, too."""
        return [path for path, reason in self.unread.items() if reason != CIRCLE]


def predict(settings: Predict, progress: Progress = lambda path, done, total: None) -> PredictResult:
    """Classify files, one after another or on a cluster; an unreadable file does not stop the others.

    Args:
        settings: see `deepfake_cli.config.Predict`.
        progress: called after frames; on a cluster, after files.

    Raises:
        ConfigError: no files are given, none of them exists, or a pattern or folder has none.
        ModelError: the detector cannot be loaded.
        ClusterError: there is no such cluster, or a machine of it cannot read the files.
    """
    skipped: list[Path] = []
    unread: dict[Path, str] = {}
    paths = list(files(settings.paths, skipped, unread))
    detector = Detector.load(
        settings.detector, runtime=settings.runtime, threads=settings.threads, threshold=settings.threshold
    )
    reasons = Reasons(detector, settings.explain, wants_page=settings.report is not None)
    judged = (
        predict_there(settings, paths, progress)
        if settings.cluster
        else _judge_locally(settings, paths, detector, progress)
    )
    verdicts = []
    for verdict in judged:
        reasons.add(verdict, partial(progress, verdict.path))
        verdicts.append(verdict)
    if settings.report:
        from deepfake_cli.explain.page import page

        write_text(settings.report, page(reasons.parts, detector, command("predict", settings)))
    if settings.csv:
        write_csv(settings.csv, COLUMNS, map(row, verdicts))
    if settings.frames_csv:
        write_csv(settings.frames_csv, FRAME_COLUMNS, (face for verdict in verdicts for face in frame_rows(verdict)))
    failing = {"any": ("fake", "undecided"), None: ()}.get(settings.fail_on, (settings.fail_on,))
    name = settings.detector or f"the starter detector of this package ({detector.traits.model})"
    words = f"{name} on {detector.network.runs_on}, {detector.thresholds}"
    missed = any(verdict.label in failing for verdict in verdicts)
    return PredictResult(verdicts, words, detector.rates, missed, reasons.written, skipped, unread)


def _judge_locally(
    settings: Predict, paths: Iterable[Path], detector: Detector, progress: Progress
) -> Iterator[Verdict]:
    """Judge files one after another, since the network uses all cores."""
    for path in paths:
        yield detector.predict(path, **settings.per_file, progress=partial(progress, path))


def files(
    paths: Iterable[Path], skipped: list[Path] | None = None, unread: dict[Path, str] | None = None
) -> Iterator[Path]:
    """Expand paths, folders and patterns to files, without duplicates.

    Args:
        paths: as given. A file is taken whatever its name, a folder with the media in it and in its sub-folders and links.
        skipped: gets the visible files of folders that are not named as media.
        unread: gets the folders that cannot be listed, which are among the files, so that each has a verdict; and the links
            to folders that are read already.

    Raises:
        ConfigError: there are no files, or none of those named exists.
    """
    unique: dict[Path, None] = {}
    named: list[Path] = []
    for path in paths:
        if remote.is_remote(path):
            inside = [file for file in remote.find(path) if _has_media_name(file)] or [path]
        elif is_folder(path):
            missed: dict[Path, str] = {}
            visible = [file for file in below(path, missed) if file.name[0] != "."]
            inside = [file for file in visible if _has_media_name(file)]
            inside += [folder for folder, reason in missed.items() if reason != CIRCLE]
            if not inside:
                raise ConfigError(f"{path}: no videos or images in this folder.")
            if skipped is not None:
                skipped += [file for file in visible if not _has_media_name(file)]
            if unread is not None:
                unread |= missed
        elif not exists(path) and glob.has_magic(str(path)):
            found = sorted(map(Path, glob.glob(str(path), recursive=True)))  # noqa: PTH207 - an absolute pattern, too
            inside = [file for file in found if not file.is_dir()]
            if not inside:
                raise ConfigError(f"{path}: no file matches this pattern.")
        else:
            inside = [path]  # a missing file beside others gets a verdict with the reason
            named.append(path)
        unique |= dict.fromkeys(inside)
    if not unique:
        raise ConfigError("No files given. Example: deepfake predict clip.mp4, a folder, or 'clips/*.mp4'.")
    if len(named) == len(unique) and not any(exists(path) for path in named):
        others = f" {len(named) - 1} other files are missing too." if len(named) > 1 else ""
        raise ConfigError(f"{named[0]}: no such file.{others}")
    return iter(unique)


def _has_media_name(path: Path) -> bool:
    return not path.name.startswith(".") and (path.suffix.lower() in VIDEO_SUFFIXES | ALSO or is_frame(path))


def row(verdict: Verdict) -> dict[str, Any]:
    """The row of a verdict for ``--csv``."""
    return verdict.facts() | {"notes": "; ".join(verdict.notes)}


def frame_rows(verdict: Verdict) -> Iterator[dict[str, Any]]:
    """The rows of a verdict for ``--frames-csv``."""
    for number, face in enumerate(verdict.faces):
        for index in range(len(face.timeline)):
            moment = face.timeline[index]
            yield {
                "path": remote.url(verdict.path),
                "face": number,
                "frame": moment.frame,
                "time": round(verdict.times[moment.frame], 3) if verdict.times else "",
                "score": "" if moment.score != moment.score else round(moment.score, 4),
                "box": moment.box.text,
            }


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    """Write rows as CSV, atomically."""
    text = io.StringIO()
    write_rows(text, columns, rows)
    write_text(path, text.getvalue())

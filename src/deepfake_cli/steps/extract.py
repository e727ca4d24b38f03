"""One video to its frames or face crops, whole or not at all: what a worker of `split` does."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from deepfake_cli.config import Split
from deepfake_cli.datasets.clip import LABELS, Clip
from deepfake_cli.errors import DeepfakeError, VideoError
from deepfake_cli.faces import DETECTORS, Detector
from deepfake_cli.faces.between import detect_stream
from deepfake_cli.faces.box import Tracker
from deepfake_cli.faces.crop import crop
from deepfake_cli.files import write_text
from deepfake_cli.lookup import lookup
from deepfake_cli.video import Keep, Source, frame_files, frames

RECORD = ".split.json"  # beside the frames: what made them, and their rows of the manifest
SHAPING = (
    "crop",
    "margin",
    "size",
    "detector",
    "min_score",
    "detect_every",
    "every",
    "max_frames",
    "format",
    "quality",
)
Images = Iterator[tuple[int, np.ndarray | None]]
SAMPLE = 65536  # bytes read at the start, the middle and the end of a source


class Job(NamedTuple):
    """A clip to cut, and how."""

    clip: Clip
    settings: Split


@dataclass
class Extracted:
    """What came of one video.

    Attributes:
        video: its name.
        rows: its rows of the manifest.
        skipped: it was finished already.
        note: what was wrong with it though frames came of it.
        error: why nothing came of it.
    """

    video: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    skipped: bool = False
    note: str = ""
    error: str = ""

    @property
    def written(self) -> int:
        """Images that the video has below ``--imgdir``."""
        return sum(not row["reason"] for row in self.rows)


def extract(job: Job) -> Extracted:
    """Cut one video, unless the same settings and the same source have already done so."""
    clip, settings = job
    folder = settings.imgdir / clip.video
    cv2.setNumThreads(1)
    try:
        key = _key(clip, settings)
        done = _recorded(folder)
        if done and done["dataset"] != clip.dataset:
            raise VideoError(f"{folder} holds frames of {done['dataset']}; choose another --imgdir")
        if done and done["key"] == key and not settings.overwrite:
            return Extracted(clip.video, done["rows"], skipped=True, note=done["note"])
        return _cut(clip, settings, folder, key)
    except (DeepfakeError, OSError, cv2.error, ValueError) as error:
        return Extracted(clip.video, error=str(error).strip())


def _key(clip: Clip, settings: Split) -> str:
    """A hash of what shapes the output: the settings that do, and the source's size and samples of its bytes."""
    digest = hashlib.blake2b(repr([getattr(settings, name) for name in SHAPING]).encode(), digest_size=16)
    files = [path for _, path in frame_files(clip.path)] if clip.path.is_dir() else [clip.path]
    for path in files:
        digest.update(f"{path.name} {path.stat().st_size}\n".encode())
    for path in (*files[:1], *files[len(files) // 2 :][:1], *files[-1:]):
        _sample(path, digest)
    return digest.hexdigest()


def _sample(path: Path, digest: Any) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        for start in (0, size // 2, max(0, size - SAMPLE)):
            file.seek(start)
            digest.update(file.read(SAMPLE))


def _recorded(folder: Path) -> dict[str, Any] | None:
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return record if {"key", "dataset", "rows", "note"} <= record.keys() else None
    except (OSError, ValueError):
        return None


def _cut(clip: Clip, settings: Split, folder: Path, key: str) -> Extracted:
    """Cut into a hidden folder, one sub-folder a track; the largest track's takes the final name."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        source = Source(clip.path)
        promised = source.promised
        if settings.max_frames and not promised:  # the header doesn't say, so count
            promised = sum(1 for _ in frames(clip.path))
        keep = Keep(settings.every, settings.max_frames, promised)
        images = source.frames(keep)
        tracker = Tracker()
        seen = list(_write(images, settings, partial, tracker))
        main = tracker.largest()
        chosen = main.number if main else 0
        rows = [_row(clip, settings, folder, found.get(chosen), index, reason) for index, found, reason in seen]
        note = _note(clip, promised, keep.expected, seen)
        result = partial / str(chosen)
        result.mkdir(exist_ok=True)
        write_text(result / RECORD, json.dumps({"key": key, "dataset": clip.dataset, "note": note, "rows": rows}))
        _take_place(result, folder, partial)
        return Extracted(clip.video, rows, note=note)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write(
    images: Images, settings: Split, partial: Path, tracker: Tracker
) -> Iterator[tuple[int, dict[int, Any], str]]:
    """Write each frame's crops, a folder a track; yield its index, its boxes by track, and why it has none."""
    if settings.crop == "none":
        for index, image in images:
            if image is not None:
                _save(image, partial / "0", index, settings)
            yield index, {} if image is None else {0: None}, "unreadable" if image is None else ""
        return
    detect = _detector(settings.detector, settings.min_score)
    for index, image, boxes in detect_stream(images, detect, every=settings.detect_every):
        if image is None:
            yield index, {}, "unreadable"
            continue
        found = {track.number: box for track, box in tracker.follow(boxes)}
        for number, box in found.items():
            face = crop(image, box, margin=settings.margin, size=settings.size)
            _save(face, partial / str(number), index, settings)
        yield index, found, "" if found else "no face"


@cache
def _detector(name: str, min_score: float) -> Detector:
    """One a process, since loading takes longer than a frame."""
    return lookup(DETECTORS, name, "face detector")(min_score)


def _save(image: np.ndarray, folder: Path, index: int, settings: Split) -> None:
    """Encode in memory and write with Python, whose errors (a full disk) OpenCV's own writer would swallow."""
    parameters = [cv2.IMWRITE_JPEG_QUALITY, settings.quality] if settings.format == "jpg" else []
    encoded = cv2.imencode(f".{settings.format}", image, parameters)[1]
    path = folder / f"{index:05d}.{settings.format}"
    try:
        path.write_bytes(encoded.data)
    except FileNotFoundError:
        folder.mkdir()
        path.write_bytes(encoded.data)


def _row(clip: Clip, settings: Split, folder: Path, box: Any, index: int, reason: str) -> dict[str, Any]:
    kept = not reason and (settings.crop == "none" or box is not None)
    path = (folder / f"{index:05d}.{settings.format}").relative_to(settings.imgdir).as_posix()
    return {
        "path": path if kept else "",
        "label": LABELS[clip.label],
        "dataset": clip.dataset,
        "video": clip.video,
        "frame": index,
        "box": " ".join(f"{value:.1f}" for value in box[:4]) if box else "",
        "score": f"{box.score:.4f}" if box else "",
        "reason": "" if kept else reason or "another face only",
    }


def _note(clip: Clip, promised: int, expected: int, seen: list[Any]) -> str:
    """What a user should know of a video that was read: frames that the header promised, images that were unreadable."""
    notes = []
    unreadable = sum(reason == "unreadable" for _, _, reason in seen)
    if unreadable:
        notes.append(f"{unreadable} unreadable frames")
    if clip.path.is_file() and len(seen) < expected:
        notes.append(f"the header promises {promised} frames; it ends early, {len(seen)} of {expected} read")
    if not any(found for _, found, _ in seen):
        notes.append("no face in any frame")
    return "; ".join(notes)


def _take_place(result: Path, folder: Path, partial: Path) -> None:
    """Give `result` the final name; an earlier folder of that name goes only now."""
    if folder.exists():
        folder.replace(partial / "earlier")
    result.replace(folder)

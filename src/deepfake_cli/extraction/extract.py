"""Extract the frames or face crops of one video, atomically: the task of a `split` worker."""

import ctypes
import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple

import cv2
import numpy as np

from deepfake_cli.config import Split
from deepfake_cli.datasets.clip import Clip
from deepfake_cli.errors import DeepfakeError, VideoError
from deepfake_cli.extraction.record import RECORD, check_free, is_of, key_of, recorded
from deepfake_cli.extraction.rows import Seen, kept_tracks, note_on, rows_of
from deepfake_cli.faces import FaceDetector, find_face_detector
from deepfake_cli.faces.crop import crop
from deepfake_cli.faces.smooth import Tracked
from deepfake_cli.faces.tracking import track_faces
from deepfake_cli.media.reencode import reencoded
from deepfake_cli.media.video import FrameSampler, FrameSource, frame_files
from deepfake_cli.storage import tar_shards
from deepfake_cli.storage.disk import sentence, writing
from deepfake_cli.storage.downloads import downloaded
from deepfake_cli.storage.files import whole, write_text
from deepfake_cli.storage.urls import is_remote

PARTIAL = ".partial"  # suffix of the hidden folder that frames are written to
FRAMES = "frames"  # sub-folder for whole frames and for the result
Images = Iterator[tuple[int, np.ndarray | None]]
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # from glibc's malloc.h


class Job(NamedTuple):
    """A clip and the settings of its extraction."""

    clip: Clip
    settings: Split


@dataclass
class Extracted:
    """Result of one video.

    Attributes:
        video: its name.
        rows: its rows of the manifest.
        skipped: whether it was already finished.
        note: problems of a video that could be read.
        error: why the video failed; empty if it did not.
    """

    video: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    skipped: bool = False
    note: str = ""
    error: str = ""

    @property
    def written(self) -> int:
        """Number of images written."""
        return sum(not row["reason"] for row in self.rows)

    @property
    def frames(self) -> int:
        """Number of frames read; with ``--faces all`` a frame has a row per face."""
        return len({row["frame"] for row in self.rows})


def extract(job: Job) -> Extracted:
    """Extract one video, unless it was extracted from the same source with the same settings."""
    clip, settings = job
    folder = settings.imgdir / (clip.video + tar_shards.SUFFIX * settings.packs)
    _tune_process()
    try:
        if clip.video.encode("utf-8", "replace").decode() != clip.video:
            raise VideoError("the name is not valid UTF-8; rename the file")
        key = key_of(clip, settings)
        done = recorded(folder)
        if done and done["dataset"] != clip.dataset:
            raise VideoError(f"{folder} has frames of {done['dataset']}; choose another --imgdir")
        if done and not settings.overwrite and is_of(done["key"], key, clip, settings):
            return Extracted(clip.video, done["rows"], skipped=True, note=done["note"])
        if not settings.packs and not is_remote(folder):
            check_free(folder, settings.imgdir)
        with downloaded(clip.path) as path:
            return _cut(clip._replace(path=path), settings, folder, key)
    except OSError as error:
        return Extracted(clip.video, error=sentence(error))
    except (DeepfakeError, cv2.error, ValueError) as error:
        return Extracted(clip.video, error=str(error).strip())


@cache
def _tune_process() -> None:
    """Tune this process for images: one OpenCV thread, since there is a process per core, and reuse of freed memory.

    By default glibc returns a freed image to the system and allocates the next one page by page, which takes up to a
    quarter of the decoding time.
    """
    cv2.setNumThreads(1)
    with suppress(AttributeError, OSError, TypeError):  # not glibc
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, 2**25)
        mallopt(M_TRIM_THRESHOLD, 2**28)


def _cut(clip: Clip, settings: Split, folder: Path, key: str) -> Extracted:
    """Extract into a hidden folder with a sub-folder per track, then rename the result."""
    if not is_remote(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    parent = None if settings.packs else folder.parent
    partial = Path(mkdtemp(PARTIAL, f".{folder.name}.", parent))  # unique, since a lost machine may still be writing
    try:
        source = FrameSource(clip.path)
        sampler = FrameSampler(settings.every, settings.max_frames, source.count() if settings.max_frames else 0)
        seen = list(_write(_frames(source, sampler, settings.reencode), settings, partial))
        tracks = kept_tracks(seen, settings.faces == "all")
        source_columns = source.facts.cells()
        rows = [source_columns | row for row in rows_of(clip.video, settings, seen, tracks)]
        note = note_on([*source.faults(), *_renumbered(clip.path)], seen, boxes=settings.boxes, align=settings.align)
        result = _gathered(partial, tracks, crop=settings.crop, faces=settings.faces)
        record = json.dumps({"key": key, "dataset": clip.dataset, "note": note, "rows": rows})
        if settings.packs:
            _pack(result, folder, record)
        else:
            write_text(result / RECORD, record)
            _replace_folder(result, folder, partial)
        return Extracted(clip.video, rows, note=note)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _renumbered(path: Path) -> list[str]:
    """A note if images have new numbers, since two have the same."""
    stems = [(index, file.stem) for index, file in frame_files(path)] if path.is_dir() else []
    if all(stem.isdecimal() for _, stem in stems) and any(index != int(stem) for index, stem in stems):
        return ["two images have the same number, so all are numbered from 0"]
    return []


def sweep(imgdir: Path, videos: Iterable[str]) -> None:
    """Remove partial output of these videos, left by killed processes."""
    folders = {imgdir / video for video in videos}
    for parent in {folder.parent for folder in folders}:
        for partial in [*parent.glob(f".*{PARTIAL}"), *parent.glob(f".*{PARTIAL}{tar_shards.SUFFIX}")]:
            name = partial.name.removesuffix(tar_shards.SUFFIX).removesuffix(PARTIAL)[1:].rpartition(".")[0]
            if parent / name in folders:
                shutil.rmtree(partial) if partial.is_dir() else partial.unlink(missing_ok=True)


def _frames(source: FrameSource, sampler: FrameSampler, crf: int | None) -> Images:
    """The sampled frames; for re-encoding, all frames go through the encoder first."""
    if crf is None:
        return source.frames(sampler)
    return (frame for position, frame in enumerate(reencoded(source.frames(), crf)) if sampler(position))


def _write(images: Images, settings: Split, partial: Path) -> Iterator[Seen]:
    """Write frames, or face crops in a folder per track."""
    for index, image, faces in _tracked(images, settings):
        if image is None:
            yield index, None
            continue
        boxes = {track: box.rounded() for track, box in faces.items()}
        if settings.crop == "none":
            _save(image, partial / FRAMES, index, settings.format, settings.quality)
        for track, box in boxes.items() if settings.crop == "face" else ():
            face = crop(image, box, margin=settings.margin, size=settings.size, align=settings.align)
            _save(face, partial / str(track), index, settings.format, settings.quality)
        yield index, boxes


def _tracked(images: Images, settings: Split) -> Iterator[Tracked]:
    """The frames with their tracked faces; without detection if boxes are off."""
    if not settings.boxes:
        return ((index, image, {}) for index, image in images)
    detect = _face_detector(settings.face_detector, settings.min_score)
    return track_faces(images, detect, every=settings.detect_every, max_gap=settings.max_gap)


@cache
def _face_detector(name: str, min_score: float) -> FaceDetector:
    """Load the face detector once per process."""
    return find_face_detector(name)(min_score)


def _save(image: np.ndarray, folder: Path, index: int, format: str, quality: int) -> None:
    """Encode in memory and write with Python, since OpenCV ignores write errors such as a full disk."""
    parameters = [cv2.IMWRITE_JPEG_QUALITY, quality] if format == "jpg" else []
    encoded = cv2.imencode(f".{format}", image, parameters)[1]
    path = folder / f"{index:05d}.{format}"
    with writing(path):
        try:
            path.write_bytes(encoded.data)
        except FileNotFoundError:
            folder.mkdir()
            path.write_bytes(encoded.data)


def _gathered(partial: Path, tracks: list[int], *, crop: str, faces: str) -> Path:
    """The folder to rename: whole frames, the largest track, or all tracks by rank."""
    if crop == "face" and faces == "largest" and tracks:
        return partial / str(tracks[0])
    result = partial / FRAMES
    result.mkdir(exist_ok=True)
    for rank, track in enumerate(tracks if faces == "all" else ()):
        (partial / str(track)).replace(result / str(rank))
    return result


def _pack(result: Path, tar: Path, record: str) -> None:
    """Write the record and the images, sorted by name, to a tar."""
    images = {path.relative_to(result).as_posix(): path for path in sorted(result.rglob("*")) if path.is_file()}
    with whole(tar) as partial:
        tar_shards.write(partial, {RECORD: record.encode(), **images})


def _replace_folder(result: Path, folder: Path, partial: Path) -> None:
    """Rename `result` to `folder`; replace an existing folder at the last moment."""
    if folder.exists():
        folder.replace(partial / "earlier")
    result.replace(folder)

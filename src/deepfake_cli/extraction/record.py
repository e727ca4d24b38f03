"""The record of a folder of frames: from which source and settings they were made, so that a repeated split skips them."""

import hashlib
from pathlib import Path
from typing import Any

from deepfake_cli.config import Split
from deepfake_cli.datasets.clip import Clip
from deepfake_cli.errors import DeepfakeError, VideoError
from deepfake_cli.media.video import frame_files
from deepfake_cli.storage import tar_shards
from deepfake_cli.storage.hashes import maker
from deepfake_cli.storage.json_files import Part, parse_json, read_json
from deepfake_cli.storage.remote import state
from deepfake_cli.storage.urls import is_remote

RECORD = ".split.json"  # next to the frames: hash of settings and source, and manifest rows
OUTPUT_SETTINGS = (  # settings that change the output
    "crop",
    "faces",
    "boxes",
    "margin",
    "size",
    "align",
    "face_detector",
    "min_score",
    "detect_every",
    "max_gap",
    "every",
    "max_frames",
    "reencode",
    "format",
    "quality",
)
SAMPLE = 65536  # bytes hashed at the start, middle and end of a source


class Row(Part):
    """A row of the manifest; the columns of the clip are added later."""

    __pydantic_extra__: dict[str, str | int | float]
    path: str
    frame: int
    reason: str


class Record(Part):
    """The record of a folder."""

    key: str
    dataset: str
    rows: list[Row]
    note: str


def is_of(recorded: str, key: str, clip: Clip, settings: Split) -> bool:
    """Whether a recorded key is that of these settings and this source; earlier versions made it with another hash."""
    return recorded == (key if len(recorded) == len(key) else key_of(clip, settings, maker(recorded)))


def key_of(clip: Clip, settings: Split, make: Any = hashlib.sha256) -> str:
    """Hash the settings that change the output, and the size and samples of the bytes of the source."""
    digest = make(repr([getattr(settings, name) for name in OUTPUT_SETTINGS]).encode())
    if is_remote(clip.path):
        digest.update(state(clip.path).encode())
        return digest.hexdigest()
    files = [path for _, path in frame_files(clip.path)] if clip.path.is_dir() else [clip.path]
    digest.update("\n".join(path.name for path in files).encode("utf-8", "surrogateescape"))
    files = [path for path in files if path.is_file()]  # reading a pipe would block
    for path in files:
        digest.update(f"{path.stat().st_size}\n".encode())
    for path in (*files[:1], *files[len(files) // 2 :][:1], *files[-1:]):
        _sample(path, digest)
    return digest.hexdigest()


def _sample(path: Path, digest: Any) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        for start in (0, size // 2, max(0, size - SAMPLE)):
            file.seek(start)
            digest.update(file.read(SAMPLE))


def recorded(folder: Path) -> dict[str, Any] | None:
    """Read the record of a folder, or of a tar, where it is the first file."""
    try:
        if not tar_shards.is_tar(folder):
            return read_json(folder / RECORD, Record, VideoError, "", required=False)
        text = tar_shards.first(folder, RECORD)
        return parse_json(text, Record, str(folder), VideoError) if text else None
    except (OSError, DeepfakeError):  # not ours, or changed: the video is cut again
        return None


def check_free(folder: Path, imgdir: Path) -> None:
    """Check that writing this folder would replace nothing but earlier frames of the same video.

    Raises:
        VideoError: it has other files, or frames of another video are in it, or it is inside of those.
    """
    above = next(
        (parent for parent in folder.relative_to(imgdir).parents if (imgdir / parent / RECORD).is_file()), None
    )
    if above is not None:
        raise VideoError(f"{folder} would be inside the frames in {imgdir / above}; choose another --imgdir")
    if not folder.is_dir():
        return
    inner = next((record.parent for record in folder.rglob(RECORD) if record.parent != folder), None)
    if inner is not None:
        raise VideoError(f"{folder} has the frames of another video in {inner}; choose another --imgdir")
    if any(folder.iterdir()) and not (folder / RECORD).exists():
        raise VideoError(f"{folder} has files that split has not written; move them, or choose another --imgdir")

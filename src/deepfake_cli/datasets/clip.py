"""Clips, and how to list them in folders."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from deepfake_cli.media.video import VIDEO_SUFFIXES, is_frame

REAL, FAKE = 0, 1
LABELS = ("real", "fake")


class Clip(NamedTuple):
    """A video, or a folder of frames.

    Attributes:
        path: the video file, or the folder of its frames.
        label: 0 real, 1 fake.
        dataset: name of the data set.
        video: name of the video in the data set, and of its folder in ``--imgdir``.
        people: the person seen, then the donor of a fake; empty if unknown.
        sources: the real videos that a fake was made from, by any consistent name; a real video is its own source.
            Default: its own name.
        method: manipulation method of a fake: ``"Deepfakes"``, ``"FaceSwap"``.
        quality: compression or resolution, as named by the data set: ``"c23"``, ``"lower_quality"``.
        part: part in the published split: ``"train"``, ``"val"`` or ``"test"``.
    """

    path: Path
    label: int
    dataset: str
    video: str
    people: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    method: str = ""
    quality: str = ""
    part: str = ""


def folders(parent: Path) -> list[Path]:
    """The visible sub-folders of `parent`, sorted; empty if it does not exist."""
    return sorted(path for path in parent.iterdir() if path.is_dir() and path.name[0] != ".") if parent.is_dir() else []


def entries(*places: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name (without suffix) and path of videos and folders of frames in several folders.

    Names that occurred in an earlier folder are skipped, so that videos take precedence over their frames.
    """
    seen: set[str] = set()
    for place in places:
        listed = list(_entries(place))
        yield from ((name, path) for name, path in listed if name not in seen)
        seen |= {name for name, _ in listed}


def _entries(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.name.startswith("."):
            continue
        if is_video(path):
            yield path.stem, path
        elif path.is_dir() and _is_clip(path):
            yield path.name, path


def is_video(path: Path) -> bool:
    """Whether it is named as a video and not a folder: also a broken link, to report it."""
    return path.suffix.lower() in VIDEO_SUFFIXES and not path.is_dir()


def _is_clip(folder: Path) -> bool:
    """Whether a folder has frames and no videos, which they would hide; or cannot be listed, to report it."""
    try:
        inside = [child for child in folder.iterdir() if child.name[0] != "."]
    except PermissionError:
        return True
    return any(is_frame(child) and child.is_file() for child in inside) and not any(map(is_video, inside))

"""Clips, and how to list them in folders."""

from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from deepfake_cli.media.video import VIDEO_SUFFIXES, is_frame
from deepfake_cli.storage.folders import is_file, is_folder

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
    """The visible sub-folders of `parent`, sorted; empty if it does not exist or cannot be listed."""
    return sorted(path for path in _children(parent) if is_folder(path) and path.name[0] != ".")


def _children(folder: Path) -> list[Path]:
    """All in a folder; empty if it cannot be listed, which `deepfake_cli.storage.folders.closed` tells."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def entries(*places: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name (without suffix) and path of videos and folders of frames in several folders.

    Names that occurred in an earlier folder are skipped, so that videos take precedence over their frames.
    """
    seen: set[str] = set()
    for place in places:
        listed = list(_entries(place))
        yield from ((name, path) for name, path in listed if name not in seen)
        seen |= {name for name, _ in listed}


def below(top: Path, skip: Container[str] = ()) -> Iterator[Path]:
    """Yield the videos and folders of frames at any depth, sorted; a folder of frames is not searched further.

    Args:
        top: it may be missing.
        skip: names of folders that hold no videos, such as masks.
    """
    pending, seen = [top], {top.resolve()}
    while pending:
        folder = pending.pop()
        clips = {path for _, path in entries(folder)}
        yield from sorted(clips)
        inner = [child for child in folders(folder) if child not in clips and child.name not in skip]
        inner = [child for child in inner if child.resolve() not in seen]  # links in a circle would not end
        seen |= {child.resolve() for child in inner}
        pending += reversed(inner)


def videos_first(named: Iterable[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """Leave out folders of frames whose name a video has."""
    items = list(named)
    videos = {name for name, path in items if not is_folder(path)}
    return [(name, path) for name, path in items if name not in videos or not is_folder(path)]


def _entries(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(_children(folder)):
        if path.name.startswith("."):
            continue
        if is_video(path):
            yield path.stem, path
        elif is_folder(path) and _is_clip(path):
            yield path.name, path


def is_video(path: Path) -> bool:
    """Whether it is named as a video and not a folder: also a broken link, to report it."""
    return path.suffix.lower() in VIDEO_SUFFIXES and not is_folder(path)


def _is_clip(folder: Path) -> bool:
    """Whether a folder has frames and no videos, which they would hide."""
    inside = [child for child in _children(folder) if child.name[0] != "."]
    return any(is_frame(child) and is_file(child) for child in inside) and not any(map(is_video, inside))

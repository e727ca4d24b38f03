"""What a data set is made of, and what of it a folder holds."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from deepfake_cli.media.video import VIDEO_SUFFIXES, is_frame

REAL, FAKE = 0, 1
LABELS = ("real", "fake")


class Clip(NamedTuple):
    """One video, or one folder of frames.

    Attributes:
        path: the video file, or the folder of its frames.
        label: 0 real, 1 fake.
        dataset: name of the data set.
        video: name of the video within the data set, which is also its folder below ``--imgdir``.
        people: the person seen, then the donor of a fake's face; nobody, where the data set doesn't name its people.
        sources: the real videos that a fake was made from, by any name that is the same for all of them; a real video
            is its own source. Its own name, if left out.
        method: how a fake was made: ``"Deepfakes"``, ``"FaceSwap"``.
        quality: what the data set calls its grades of compression or resolution: ``"c23"``, ``"lower_quality"``.
        part: where the data set's published split has it: ``"train"``, ``"val"`` or ``"test"``.
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
    """The visible folders in `parent`, by name; none if it isn't there."""
    return sorted(path for path in parent.iterdir() if path.is_dir() and path.name[0] != ".") if parent.is_dir() else []


def entries(*places: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name (without suffix) and path of each video, and of each folder of frames, in some folders.

    A name that an earlier of the folders has is not yielded from a later one: videos win over frames cut from them.
    """
    seen: set[str] = set()
    for place in places:
        here = list(_entries(place))
        yield from ((name, path) for name, path in here if name not in seen)
        seen |= {name for name, _ in here}


def _entries(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.name.startswith("."):
            continue
        if path.suffix.lower() in VIDEO_SUFFIXES and not path.is_dir():  # a dead link too, so that it is listed
            yield path.stem, path
        elif path.is_dir() and any(is_frame(child) and child.is_file() for child in path.iterdir()):
            yield path.name, path

"""What a data set is made of, and how its folders are found."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from deepfake_cli.errors import DatasetError
from deepfake_cli.video import VIDEO_SUFFIXES, is_frame

REAL, FAKE = 0, 1
LABELS = ("real", "fake")


class Clip(NamedTuple):
    """One video, or one folder of frames.

    Attributes:
        path: the video file, or the folder of its frames.
        label: 0 real, 1 fake.
        dataset: name of the data set.
        video: name of the video within the data set, which is also its folder below ``--imgdir``.
        links: the people seen in it, the donor of a fake's face, its source video. Clips that share a link are one group.
    """

    path: Path
    label: int
    dataset: str
    video: str
    links: tuple[str, ...]


def find_root(root: Path, wanted: Iterable[str], expected: str) -> Path:
    """Return the folder at, or up to two levels below, `root` that has one of the `wanted` folders in it.

    Raises:
        DatasetError: there is none; the message says what was looked for and what was found.
    """
    wanted = set(wanted)
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder; expected {expected}.")
    level = [root]
    for _ in range(3):
        for folder in level:
            if any((folder / name).is_dir() for name in wanted):
                return folder
        level = [child for folder in level for child in folders(folder)]
    if root.name in wanted:
        raise DatasetError(f"{root}: this is the {root.name} folder itself; use its parent, {root.parent}.")
    names = sorted(path.name for path in root.iterdir())
    found = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "") if names else "nothing"
    raise DatasetError(f"{root}: expected {expected}; found {found}.")


def folders(parent: Path) -> list[Path]:
    """The visible folders in `parent`, by name; none if it isn't there."""
    return sorted(path for path in parent.iterdir() if path.is_dir() and path.name[0] != ".") if parent.is_dir() else []


def entries(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name (without suffix) and path of each video, and of each folder of frames, in `folder`."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.name.startswith("."):
            continue
        if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file():
            yield path.stem, path
        elif path.is_dir() and any(is_frame(child) for child in path.iterdir()):
            yield path.name, path

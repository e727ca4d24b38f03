"""Your own videos.

Any real and fake videos, folders of frames and single images.

Layout: ``real/`` and ``fake/``, in sub-folders or not. A folder of images is a video, an image that lies loose in ``real/``
or ``fake/`` is one too.

Labels: by folder.

Groups: a sub-folder that is not itself a folder of frames stands for a person, and so does the sub-folder of the same name
on the other side. A video is a group with its namesake there, such as ``real/anna/1.mp4`` and ``fake/anna/1.mp4``.

Licence: yours.

How to obtain: from yourself. Ask the people who are to be seen.

Citation: none. Cite the data sets that the videos come from.
"""

from collections.abc import Iterator
from pathlib import Path

from deepfake_cli.datasets.clip import LABELS, Clip, entries, folders
from deepfake_cli.datasets.layout import find_root
from deepfake_cli.media.video import IMAGE_SUFFIXES


def clips(root: Path) -> Iterator[Clip]:
    """Every video, folder of frames and loose image below ``real/`` and ``fake/``."""
    root = find_root(root, LABELS, "real/ and fake/")
    for label, name in enumerate(LABELS):
        for inside, path in _walk(root / name):
            yield Clip(
                path, label, "folder", f"{name}/{inside.as_posix()}", inside.parts[:-1][:1], (inside.as_posix(),)
            )


def _walk(top: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each item's path below `top`, without suffix, and the item."""
    pending = [top]
    while pending:
        folder = pending.pop()
        items = [path for _, path in entries(folder)]
        if folder == top:
            items += [path for path in top.glob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.name[0] != "."]
        for path in items:
            yield (path if path.is_dir() else path.with_suffix("")).relative_to(top), path
        above = (folder.resolve(), *folder.resolve().parents)  # a link to one of these leads round and round
        pending += [child for child in folders(folder) if child not in items and child.resolve() not in above]

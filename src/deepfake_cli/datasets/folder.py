"""Your own videos.

Any real and fake videos, folders of frames, and images.

Layout: ``real/`` and ``fake/``, with or without sub-folders. A folder of images is a video; so is a single image directly in
``real/`` or ``fake/``.

Labels: by folder.

Groups: a sub-folder that is not a folder of frames is a person; sub-folders of the same name in ``real/`` and ``fake/`` are the
same person. Videos of the same path are a group, such as ``real/anna/1.mp4`` and ``fake/anna/1.mp4``.

Licence: yours.

How to obtain: your own recordings, with the consent of the people in them.

Citation: none. Cite the sources of your videos.
"""

from collections.abc import Iterator
from pathlib import Path

from deepfake_cli.datasets.clip import LABELS, Clip, entries, folders
from deepfake_cli.datasets.layout import find_root
from deepfake_cli.media.video import IMAGE_SUFFIXES


def clips(root: Path) -> Iterator[Clip]:
    """All videos, folders of frames and single images in ``real/`` and ``fake/``."""
    root = find_root(root, LABELS, "real/ and fake/")
    for label, name in enumerate(LABELS):
        for inside, path in _walk(root / name):
            yield Clip(
                path, label, "folder", f"{name}/{inside.as_posix()}", inside.parts[:-1][:1], (inside.as_posix(),)
            )


def _walk(top: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the relative path of each item, without suffix, and the item."""
    pending = [top]
    while pending:
        folder = pending.pop()
        items = [path for _, path in entries(folder)]
        if folder == top:
            items += [path for path in top.glob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.name[0] != "."]
        for path in items:
            yield (path if path.is_dir() else path.with_suffix("")).relative_to(top), path
        above = (folder.resolve(), *folder.resolve().parents)  # links to these would loop
        pending += [child for child in folders(folder) if child not in items and child.resolve() not in above]

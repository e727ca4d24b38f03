"""``real/`` and ``fake/`` of anything: videos, folders of frames, loose images, in sub-folders or not.

Labels: by folder. Groups: a sub-folder of ``real/`` or ``fake/`` that is not itself a folder of frames (say, one a person) is
one group, and joins the sub-folder of the same name on the other side; a video at the top is a group with its namesake.
"""

from collections.abc import Iterator
from pathlib import Path

from deepfake_cli.datasets.clip import LABELS, Clip, entries, find_root, folders
from deepfake_cli.video import IMAGE_SUFFIXES


def clips(root: Path) -> Iterator[Clip]:
    """Every video, folder of frames and loose image below ``real/`` and ``fake/``."""
    root = find_root(root, LABELS, "real/ and fake/")
    for label, name in enumerate(LABELS):
        for inside, path in _walk(root / name):
            yield Clip(path, label, "folder", f"{name}/{inside.as_posix()}", (inside.parts[0],))


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
        pending += [child for child in folders(folder) if child not in items]

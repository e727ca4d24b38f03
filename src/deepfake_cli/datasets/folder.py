"""Your own videos.

Any real and fake videos, folders of frames, and images.

Layout: ``real/`` and ``fake/``, with or without sub-folders. A folder of images is a video; so is a single image directly in
``real/`` or ``fake/``. Images beside videos in a sub-folder are not read, but reported. Two files of the same name keep their
suffix: ``1.mp4`` and ``1.mkv``; images beside sub-folders of videos are the video ``images``.

Layout read from: none; it is this project's own.

Labels: by folder.

Groups: a sub-folder that is not a folder of frames is a person; sub-folders of the same name in ``real/`` and ``fake/`` are the
same person. Videos of the same path are a group, such as ``real/anna/1.mp4`` and ``fake/anna/1.mp4``.

Licence: yours.

How to obtain: your own recordings, with the consent of the people in them.

Citation: none. Cite the sources of your videos.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from deepfake_cli.datasets.clip import LABELS, Clip, entries, folders
from deepfake_cli.datasets.layout import find_root
from deepfake_cli.media.video import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from deepfake_cli.storage.folders import is_folder

IMAGES = "images"  # name of the images of a folder that has videos in its sub-folders


def clips(root: str | Path) -> Iterator[Clip]:
    """All videos, folders of frames and single images in ``real/`` and ``fake/``."""
    root = find_root(Path(root), LABELS, "real/ and fake/")
    for label, name in enumerate(LABELS):
        top = root / name
        for path, inside in _names([path.relative_to(top) for path in _walk(top)], top).items():
            people, source = inside.parts[:-1][:1], _without_suffix(inside).as_posix()
            yield Clip(top / path, label, "folder", f"{name}/{inside.as_posix()}", people, (source,))


def _walk(top: Path) -> Iterator[Path]:
    pending: list[tuple[Path, frozenset[Path]]] = [(top, frozenset())]
    while pending:
        folder, above = pending.pop()
        items = [path for _, path in entries(folder)]
        if folder == top:
            items += [path for path in top.glob("[!.]*") if path.suffix.lower() in IMAGE_SUFFIXES]
        yield from items
        above |= {folder.resolve(), *folder.resolve().parents}  # links to these would loop
        pending += [(child, above) for child in folders(folder) if child.resolve() not in above]


def _names(items: list[Path], top: Path) -> dict[Path, Path]:
    """The name of each item: its path without suffix, or with it where two would write to one folder, or one inside the other.

    Names that differ in case only are one folder on some file systems.
    """
    names = {item: item if is_folder(top / item) else item.with_suffix("") for item in items}
    longer = {item: item / IMAGES if is_folder(top / item) else item for item in items}
    while True:
        keys = {item: name.as_posix().casefold() for item, name in names.items()}
        counts = Counter(keys.values())
        above = {parent.as_posix().casefold() for name in names.values() for parent in name.parents}
        clash = [
            item for item, key in keys.items() if names[item] != longer[item] and (key in above or counts[key] > 1)
        ]
        if not clash:
            return names
        files = [item for item in clash if longer[item] == item]
        names |= {item: longer[item] for item in files or clash}


def _without_suffix(name: Path) -> Path:
    return name.with_suffix("") if name.suffix.lower() in VIDEO_SUFFIXES | IMAGE_SUFFIXES else name

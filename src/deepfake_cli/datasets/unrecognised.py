"""Find files that were not recognised as clips, and say why."""

import os
from collections.abc import Iterable
from pathlib import Path

from deepfake_cli.datasets.clip import Clip
from deepfake_cli.media.video import IMAGE_SUFFIXES, VIDEO_SUFFIXES, is_frame
from deepfake_cli.storage.folders import CIRCLE, exists, is_folder

COMPANIONS = {  # usual companions of videos
    ".csv", ".dat", ".flac", ".html", ".json", ".log", ".m4a", ".md", ".md5", ".mp3", ".npy", ".npz", ".pdf",
    ".pkl", ".pts", ".sha256", ".srt", ".txt", ".wav", ".xml",
}  # fmt: skip
NOTICES = {"authors", "citation", "license", "licence", "notice", "readme"}  # usual files without suffix
HIDDEN = "the name begins with a dot"
BESIDE = "images beside videos are not read"
PLACE = "its place or its name is not in the layout of the data set, or it has no label"
UNKNOWN = "not a format that is read"
EMPTY = "a folder without videos and images"
BROKEN = "a broken link"


def unrecognised(clips: Iterable[Clip], tops: Iterable[Path] = ()) -> dict[Path, str]:
    """The files that may be videos or images and are not in any clip, with the reason.

    Args:
        clips: all clips of the data set.
        tops: folders that are read at any depth. The folders of the clips are searched anyway.
    """
    clips = list(clips)
    used, names = {clip.path for clip in clips}, {Path(clip.video).name for clip in clips}
    holders = {parent for path in used for parent in path.parents}
    pending = [*{path.parent for path in used}, *(path for path in used if is_folder(path)), *tops]
    found: dict[Path, str] = {}
    seen: set[Path] = set()
    while pending:
        folder = pending.pop()
        if folder in seen:
            continue
        seen.add(folder)
        inside = _children(folder)
        for path in inside:
            if path in used or (folder in used and is_frame(path)):
                continue
            if is_folder(path):  # frames of a clip that is read as a video are left out
                nested = path.name[0] != "." and path.name not in names and not path.is_symlink()
                pending += [path] * nested
                if path.is_symlink() and path.resolve() in (folder.resolve(), *folder.resolve().parents):
                    found[path] = CIRCLE
                if path not in holders and path.suffix.lower() in VIDEO_SUFFIXES and not any(_children(path)):
                    found[path] = EMPTY
            elif reason := _reason(path, beside=any(child in used and not is_folder(child) for child in inside)):
                found[path] = reason
    return dict(sorted(found.items()))


def beside(tops: Iterable[Path]) -> dict[Path, str]:
    """The videos in the other folders of a data set, which have no label."""
    tops = set(tops)
    found: dict[Path, str] = {}
    for root in {top.parent for top in tops}:
        for place, inner, names in os.walk(root):
            here = Path(place)
            inner[:] = sorted(name for name in inner if name[0] != "." and here / name not in tops)
            videos = (here / name for name in names if name[0] != "." and Path(name).suffix.lower() in VIDEO_SUFFIXES)
            found |= dict.fromkeys(videos, PLACE)
    return dict(sorted(found.items()))


def _children(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # a clip that cannot be read
        return []


def _reason(path: Path, *, beside: bool) -> str:
    """Why a file is not read; empty if it is no loss."""
    hidden = path.name[0] == "."
    suffix = Path(f"name{path.name}" if hidden else path.name).suffix.lower()
    if suffix in VIDEO_SUFFIXES and not path.name.startswith("._"):  # macOS resource forks
        return HIDDEN if hidden else PLACE
    if hidden or suffix in COMPANIONS or path.stem.lower() in NOTICES:
        return ""
    if path.is_symlink() and not exists(path):
        return BROKEN
    if suffix in IMAGE_SUFFIXES or is_frame(path):
        return BESIDE if beside else PLACE
    return UNKNOWN

"""Find what to judge: files, folders, patterns and URLs; images and frames in memory; webcams."""

import glob
import os
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from deepfake_cli.errors import ConfigError, MissingFileError
from deepfake_cli.media.memory import MemorySource, bgr, webcam
from deepfake_cli.media.video import VIDEO_SUFFIXES, is_frame, is_number
from deepfake_cli.storage import remote
from deepfake_cli.storage.folders import PASSED, below, exists, is_folder
from deepfake_cli.storage.near import hint
from deepfake_cli.storage.urls import is_remote, url

MODELS = frozenset({".onnx", ".keras", ".h5", ".hdf5", ".tflite", ".pth", ".pt"})  # suffixes that no media have
FOLDERS = ("auto", "video", "files")  # which folders of images are one video, see `is_video_folder`
ALSO = frozenset({  # suffixes of media that data sets do not have
        ".264", ".265", ".apng", ".avif", ".dib", ".gif", ".h264", ".heic", ".heif", ".hevc", ".hif", ".ivf", ".j2k",
        ".jfif", ".jp2", ".jpe", ".jxl", ".m2p", ".mpe", ".mpo", ".nut", ".ogx", ".pbm", ".pgm", ".pnm", ".ppm", ".rm",
        ".rmvb", ".wtv",
})  # fmt: skip


class Sources(NamedTuple):
    """What a source holds.

    Attributes:
        items: what gets a verdict: a path or frames in memory, each with its name.
        many: whether the source may hold several, so that they get a list of verdicts.
    """

    items: Iterable[tuple[Path, MemorySource | None]]
    many: bool


def sources(source: Any, folders: str = "auto") -> Sources:
    """Find what is to be judged in a source; see `deepfake_cli.Detector.predict`.

    Raises:
        MissingFileError: a file or folder does not exist, or a pattern or folder has no media.
        VideoError: a webcam cannot be opened.
        ConfigError: a source of this type cannot be judged, or `folders` is unknown.
    """
    if folders not in FOLDERS:
        raise ConfigError(f"folders: found {folders!r}; expected {', '.join(FOLDERS)}.")
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        found = list(existing([path], folders))
        return Sources([(each, None) for each in found], many=found != [path])
    if isinstance(source, bool):
        raise ConfigError(f"Expected a file, an image, frames, or the number of a webcam. Received: {source}.")
    if isinstance(source, int):
        return Sources([_named(webcam(source))], many=False)
    if _is_image(source):
        return Sources([_named(_image(source))], many=False)
    if _is_frames(source):
        return Sources([_named(MemorySource(list(source), "frames"))], many=False)
    if isinstance(source, Iterator):
        first = next(source, None)
        if first is None:
            raise ConfigError("Expected frames or paths. Received: an empty iterator.")
        if not isinstance(first, (str, os.PathLike)):
            return Sources([_named(MemorySource(chain([first], source), "frames"))], many=False)
        source = [first, *source]
    if not isinstance(source, Iterable):
        raise ConfigError(
            "Expected a path, an image, frames, the number of a webcam, or a list of them. "
            f"Received: {type(source).__name__}."
        )
    return Sources(_listed(list(source), folders), many=True)


def _listed(items: list[Any], folders: str) -> list[tuple[Path, MemorySource | None]]:
    """The items of a list, in order; paths are checked before anything is judged."""
    if not items:
        raise ConfigError("Expected files or images. Received: an empty list.")
    found: list[tuple[Path, MemorySource | None]] = []
    for number, item in enumerate(items):
        if isinstance(item, (str, os.PathLike)):
            found += [(path, None) for path in existing([Path(item)], folders)]
        elif _is_image(item):
            found.append(_named(_image(item, f"image {number}")))
        elif isinstance(item, int) or not isinstance(item, Iterable):
            raise ConfigError(f"Item {number}: expected a path, an image or frames. Received: {type(item).__name__}.")
        else:
            frames = list(item) if _is_frames(item) else item
            found.append(_named(MemorySource(frames, f"frames {number}")))
    return found


def _named(source: MemorySource) -> tuple[Path, MemorySource]:
    return Path(source.name), source


def _image(image: Any, name: str = "image") -> MemorySource:
    name = str(getattr(image, "filename", "") or name)
    bgr(image, name)  # an error before anything is judged
    return MemorySource([image], name, is_image=True)


def _is_image(source: Any) -> bool:
    """Whether it is a PIL image, or an array that is not a stack of frames."""
    return hasattr(source, "getexif") or (hasattr(source, "dtype") and not _is_frames(source))


def _is_frames(source: Any) -> bool:
    """Whether it is an array (frames, height, width, 3)."""
    return hasattr(source, "dtype") and getattr(source, "ndim", 0) == 4


def existing(paths: list[Path], folders: str = "auto") -> Iterator[Path]:
    """As `files`, but a missing file is an error also beside others.

    Raises:
        MissingFileError: a file does not exist.
    """
    check_all_there(paths)
    return files(paths, folders=folders)


def check_all_there(paths: Iterable[Path]) -> None:
    """Check that all files and folders exist; patterns are left to `files`.

    Raises:
        MissingFileError: one does not exist.
    """
    for path in paths:
        if not glob.has_magic(str(path)) and not (_is_stored(path) if is_remote(path) else exists(path)):
            raise MissingFileError(f"{url(path)}: no such file.{hint(path)}")


def _is_stored(path: Path) -> bool:
    """Whether a store has a file or a folder of that name."""
    try:
        remote.state(path)
    except FileNotFoundError:
        return False
    return True


def files(
    paths: Iterable[Path],
    skipped: list[Path] | None = None,
    unread: dict[Path, str] | None = None,
    folders: str = "auto",
) -> Iterator[Path]:
    """Expand paths, folders and patterns to files, without duplicates.

    Args:
        paths: as given. A file is taken whatever its name, a folder with the media in it and in its sub-folders and links.
        skipped: gets the visible files of folders that are not named as media.
        unread: gets the folders that cannot be listed, which are among the files, so that each has a verdict; the links to
            folders that are read already; and the cases in them.
        folders: which folders are one video, see `is_video_folder`; the folder itself is then yielded, without its images.

    Raises:
        ConfigError: no paths are given, or one is a model.
        MissingFileError: none of those named exists, or a pattern or folder has no media.
    """
    unique: dict[Path, None] = {}
    named: list[Path] = []
    for path in paths:
        if is_remote(path) and str(path).startswith(("http:", "https:")):
            inside = [path]  # a web server has no folders
        elif is_remote(path):
            inside = [file for file in remote.find(path) if _has_media_name(file)] or [path]
        elif is_folder(path):
            inside = _in_folder(path, skipped, unread, folders)
        elif not exists(path) and glob.has_magic(str(path)):
            matches = sorted(map(Path, glob.glob(str(path), recursive=True)))  # noqa: PTH207 - an absolute pattern, too
            inside = [file for file in matches if not is_folder(file) or is_video_folder(file, folders)]
            if not inside:
                raise MissingFileError(f"{path}: no file matches this pattern.")
        elif path.suffix.lower() in MODELS:
            raise ConfigError(f"{path}: a model, not a video or image. Give it as --detector, and name files to judge.")
        else:
            inside = [path]  # a missing file beside others gets a verdict with the reason
            named.append(path)
        unique |= dict.fromkeys(inside)
    if not unique:
        raise ConfigError("No files given. Example: deepfake predict clip.mp4, a folder, or 'clips/*.mp4'.")
    if len(named) == len(unique) and not any(exists(path) for path in named):
        others = f" {len(named) - 1} other files are missing too." if len(named) > 1 else ""
        raise MissingFileError(f"{named[0]}: no such file.{hint(named[0])}{others}")
    return iter(unique)


def _in_folder(folder: Path, skipped: list[Path] | None, unread: dict[Path, str] | None, folders: str) -> list[Path]:
    """The media in a folder, and what of it cannot be listed; see `files`."""
    missed: dict[Path, str] = {}
    found = below(folder, missed, partial(is_video_folder, folders=folders))
    visible = [path for path in found if path.name[0] != "."]
    inside = [path for path in visible if is_folder(path) or _has_media_name(path)]
    inside += [path for path, reason in missed.items() if reason not in PASSED]
    if not inside:
        raise MissingFileError(f"{folder}: no videos or images in this folder.")
    if skipped is not None:
        skipped += [path for path in visible if path not in inside]
    if unread is not None:
        unread |= missed
    return inside


def is_video_folder(folder: Path, folders: str = "auto") -> bool:
    """Whether the images of a folder are the frames of one video.

    Args:
        folder: any path.
        folders: ``"auto"``: if it has two images or more, and nothing else, named by numbers (``001.png``); ``"video"``: if it
            has images and no videos; ``"files"``: never.
    """
    if folders == "files" or not is_folder(folder):
        return False
    try:
        inside = [path for path in folder.iterdir() if path.name[0] != "." and path.is_file()]
    except OSError:
        return False
    images = [path for path in inside if is_frame(path)]
    if folders == "video":
        return bool(images) and not any(path.suffix.lower() in VIDEO_SUFFIXES for path in inside)
    return len(images) > 1 and images == inside and all(is_number(path.stem) for path in images)


def _has_media_name(path: Path) -> bool:
    return not path.name.startswith(".") and (path.suffix.lower() in VIDEO_SUFFIXES | ALSO or is_frame(path))

"""Disk errors as messages that say which file and what to do; and a check, before the work, that an output can be written."""

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from deepfake_cli.storage.urls import is_remote

BLOCK = 4096  # bytes that a test writes: on a full disk an empty file can still be made
FREE = "Free some space there, or choose another folder"


class Words(NamedTuple):
    """What happened, and what to do."""

    what: str
    then: str


WORDS = {
    errno.ENOSPC: Words("no space left on the disk", FREE),
    errno.EDQUOT: Words("the disk quota is used up", FREE),
    errno.EFBIG: Words(
        "the file is larger than its disk or the limit of this process allows",
        "See ulimit -f, or choose another folder",
    ),
    errno.EACCES: Words("permission denied", "Change the permissions of the file or its folder, or choose another one"),
    errno.EPERM: Words(
        "the operation is not permitted", "Change the permissions of the file or its folder, or choose another one"
    ),
    errno.EROFS: Words("the disk is read-only", "Choose another folder"),
    errno.EIO: Words("the disk reports an error", "Check the disk, or copy the data to another one"),
    errno.ENOENT: Words("no such file or folder", "Check the path"),
    errno.ENOTDIR: Words("a file, where a folder is expected", "Check the path"),
    errno.EISDIR: Words("a folder, where a file is expected", "Check the path"),
    errno.EEXIST: Words("exists already, or is a broken link", "Remove it, or choose another path"),
    errno.ELOOP: Words("a circle of links", "Remove one of the links"),
    errno.ENAMETOOLONG: Words("the name is too long", "Choose a shorter one"),
    errno.EMFILE: Words("too many open files", "Raise the limit with ulimit -n"),
}


def reason(error: BaseException) -> str:
    """What happened, without the file: ``permission denied``; the error's own text if it is not one of the disk."""
    if isinstance(error, OSError) and error.errno is not None:
        words = WORDS.get(error.errno)
        return "; ".join([words.what if words else error.strerror or str(error), *getattr(error, "__notes__", [])])
    return " ".join(str(error).split())


def sentence(error: OSError) -> str:
    """What happened, with the file and what to do: ``runs/a: permission denied. Change …``."""
    words = WORDS.get(error.errno or 0)
    place = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    if words is None:
        return ": ".join(filter(None, (place, reason(error)))).rstrip(".") + "."
    where = place or f"standard output, or the folder of temporary files {tempfile.gettempdir()}"
    return f"{where}: {reason(error)}. {words.then}."


@contextmanager
def writing(path: Path, partial: Path | None = None) -> Iterator[None]:
    """Name the file in the errors of the block that writes it, and how much space it needs.

    Args:
        path: the file, under its final name.
        partial: where it is written meanwhile; itself or, if a folder, what is in it.

    Raises:
        OSError: as in the block, with `path` as its ``filename``.
    """
    try:
        yield
    except OSError as error:
        names = [str(name) for name in (error.filename, error.filename2) if name]  # two where a file is copied
        if error.errno in WORDS and (not names or (partial and any(name.startswith(str(partial)) for name in names))):
            error.filename, error.filename2 = str(path), None
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                with suppress(OSError):
                    error.add_note(_needed(partial or path, path.parent))
        raise


def _needed(partial: Path, folder: Path) -> str:
    """The least space that a file needs: what was written of it and what is still free, so more than both."""
    files = [partial] if partial.is_file() else list(partial.rglob("*")) if partial.is_dir() else []
    written = sum(file.stat().st_size for file in files if file.is_file())
    return f"more than {megabytes(written + shutil.disk_usage(folder).free)} are needed"


def megabytes(size: float) -> str:
    """A size in bytes, as text: ``3.4 MB``."""
    return f"{size / 1e6:,.1f} MB"


def check_output(path: Path, *, folder: bool, needed: int = 0) -> None:
    """Test that a file or folder can be written, by a temporary file in the nearest folder that exists.

    Remote paths are not tested.

    Args:
        path: the file or folder.
        folder: whether it is a folder.
        needed: bytes that will be written, if known.

    Raises:
        OSError: it cannot be written; ``filename`` is the path.
    """
    if is_remote(path) or (not folder and is_device(path)):
        return
    place = path if folder else path.parent
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    if not os.path.isdir(place):  # noqa: PTH112 - a folder that is closed is no error yet
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(place))
    if not folder and os.path.isdir(path):  # noqa: PTH112
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(bytes(BLOCK))
            file.flush()
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from None
    free = shutil.disk_usage(place).free
    if free < needed:
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        full.add_note(f"{megabytes(needed)} are needed, {megabytes(free)} are free")
        raise full


def is_device(path: Path) -> bool:
    """Whether a path is a device or a pipe, such as ``/dev/stdout``, which no file may replace."""
    with suppress(OSError):
        return not stat.S_ISREG(mode := path.stat().st_mode) and not stat.S_ISDIR(mode)
    return False

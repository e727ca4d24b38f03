"""Tar shards, one per video, as in WebDataset, since object stores are slow with many small files.

The path of an image is the path of the tar and the name in it: ``img/0001.tar/00012.jpg``.
"""

import errno
import io
from functools import lru_cache
from pathlib import Path

from deepfake_cli.storage import remote
from deepfake_cli.storage.downloads import local_path

SUFFIX = ".tar"
INSIDE = f"{SUFFIX}/"
TABLES = 4096  # cached tables of contents, about 10 kB each


def packed(path: str | Path) -> tuple[Path, str] | None:
    """Split a path into tar file and name in it; None if it is not in a tar. A folder may be called ``x.tar``."""
    text, end = str(path), 0
    while (end := text.find(INSIDE, end) + len(INSIDE)) >= len(INSIDE):
        tar = Path(text[: end - 1])
        if text[end:] and is_tar(tar):
            return tar, text[end:]
    return None


def is_tar(path: Path) -> bool:
    """Whether this is the path of a tar: it has the suffix, and is no folder."""
    return path.suffix == SUFFIX and not path.is_dir()


def write(path: Path, files: dict[str, bytes | Path]) -> None:
    """Write files to a tar, in order and reproducibly; not atomic."""
    import tarfile

    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.read_bytes()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def first(path: Path, name: str) -> bytes | None:
    """The content of the first file of a tar, if it has this name; reads only the start of a remote tar."""
    import tarfile

    try:
        with remote.opened(path) as file, tarfile.open(fileobj=file, mode="r:") as tar:
            member = tar.next()
            file_in_tar = tar.extractfile(member) if member and member.name == name else None
            return file_in_tar.read() if file_in_tar else None
    except (FileNotFoundError, NotADirectoryError, tarfile.TarError):
        return None


def read(tar: Path, name: str) -> bytes:
    """Read one file of a local or remote tar; the table of contents is cached.

    Raises:
        FileNotFoundError: the tar is missing, or has no such file.
        OSError: it cannot be read.
        StorageError: the tar is remote and cannot be read.
    """
    while True:
        local = local_path(tar)
        try:
            return _content(local, name)
        except FileNotFoundError:
            if local.exists() or local == tar:
                raise  # else the copy was dropped from the cache meanwhile


def _content(tar: Path, name: str) -> bytes:
    entry = _table(tar, tar.stat().st_mtime_ns).get(name)
    if entry is None:
        raise FileNotFoundError(errno.ENOENT, f"no such file in {tar}", name)
    with tar.open("rb") as file:
        file.seek(entry[0])
        data = file.read(entry[1])
    if len(data) < entry[1]:
        raise OSError(errno.EIO, "truncated", str(tar))
    return data


def names(tar: Path) -> set[str]:
    """The names in a local tar; empty if it is missing or invalid."""
    try:
        return set(_table(tar, tar.stat().st_mtime_ns))
    except OSError:
        return set()


@lru_cache(TABLES)
def _table(path: Path, written: int) -> dict[str, tuple[int, int]]:
    """Table of contents of a tar: offset and size by name."""
    import tarfile

    try:
        with tarfile.open(path, "r:") as tar:
            return {member.name: (member.offset_data, member.size) for member in tar if member.isfile()}
    except tarfile.TarError as error:
        raise OSError(errno.EIO, f"not a tar file: {error}", str(path)) from None

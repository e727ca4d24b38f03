"""Images in tar files, one a video, as WebDataset has them: many small files are what object stores are slow at.

An image's path is the tar's, then its name in it: ``img/0001.tar/00012.jpg``.
"""

import errno
import io
from functools import lru_cache
from pathlib import Path

from deepfake_cli.storage import remote

SUFFIX = ".tar"
INSIDE = f"{SUFFIX}/"
TABLES = 4096  # that are kept: some 10 kB each


def packed(path: str | Path) -> tuple[Path, str] | None:
    """The tar file and the name in it; None for a path that is in none."""
    tar, inside, name = str(path).partition(INSIDE)
    return (Path(tar + SUFFIX), name) if inside and name else None


def write(path: Path, files: dict[str, bytes | Path]) -> None:
    """Write files, in this order, so that the same files make the same bytes; `path` is written in place."""
    import tarfile

    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.read_bytes()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def first(path: Path, name: str) -> bytes | None:
    """The content of a tar's first file, if it is called so; of a remote tar little more is read."""
    import tarfile

    try:
        with remote.opened(path) as file, tarfile.open(fileobj=file, mode="r:") as tar:
            member = tar.next()
            found = tar.extractfile(member) if member and member.name == name else None
            return found.read() if found else None
    except (FileNotFoundError, NotADirectoryError, tarfile.TarError):
        return None


def read(tar: Path, name: str) -> bytes:
    """The content of one file of a tar, from anywhere; its table is read once.

    Raises:
        FileNotFoundError: the tar is not there, or has no such file.
        OSError: it can't be read.
        StorageError: it is remote and can't be had.
    """
    while True:
        local = remote.here(tar)
        try:
            return _content(local, name)
        except FileNotFoundError:
            if local.exists() or local == tar:
                raise  # else the copy went to make room while we took it up


def _content(tar: Path, name: str) -> bytes:
    place = _table(tar, tar.stat().st_mtime_ns).get(name)
    if place is None:
        raise FileNotFoundError(errno.ENOENT, f"no such file in {tar}", name)
    with tar.open("rb") as file:
        file.seek(place[0])
        data = file.read(place[1])
    if len(data) < place[1]:
        raise OSError(errno.EIO, "was cut short", str(tar))
    return data


def names(tar: Path) -> set[str]:
    """The names in a local tar; none if it isn't there or is none."""
    try:
        return set(_table(tar, tar.stat().st_mtime_ns))
    except OSError:
        return set()


@lru_cache(TABLES)
def _table(path: Path, written: int) -> dict[str, tuple[int, int]]:
    """Where in a tar each file begins and how long it is."""
    import tarfile

    try:
        with tarfile.open(path, "r:") as tar:
            return {member.name: (member.offset_data, member.size) for member in tar if member.isfile()}
    except tarfile.TarError as error:
        raise OSError(errno.EIO, f"is no tar file: {error}", str(path)) from None

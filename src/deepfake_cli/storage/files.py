"""Write files atomically: under a temporary name, then renamed; or uploaded, if remote."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from deepfake_cli.storage import disk, remote, tar_shards
from deepfake_cli.storage.downloads import local_path
from deepfake_cli.storage.escapes import encodable
from deepfake_cli.storage.urls import is_remote

MOST_BYTES = 2**28  # of lists, keys, certificates and descriptions


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path that is renamed to `path` if the block succeeds.

    The temporary path has the same suffix, since writers choose the format by it.

    Raises:
        OSError: it cannot be written; ``filename`` is `path`.
        StorageError: `path` is remote and cannot be written.
    """
    if is_remote(path) or disk.is_device(path):
        with tempfile.TemporaryDirectory(prefix="deepfake-") as folder:
            local = Path(folder) / path.name
            yield local
            if is_remote(path):
                remote.put(local, path)
            else:
                path.write_bytes(local.read_bytes())
        return
    partial = path.with_name(f".{path.stem}.{uuid4().hex[:8]}.partial{path.suffix}")
    with disk.writing(path, partial):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            partial.replace(path)
        finally:
            with suppress(OSError):  # the error above says more
                partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, atomically; bytes of a name that are not UTF-8 become escapes."""
    with whole(path) as partial:
        partial.write_bytes(encodable(text).encode())


def regular(path: Path) -> Path:
    """Return a local path that can be opened without blocking and read to its end, or that does not exist.

    Raises:
        OSError: it is a folder, a pipe or a device.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EISDIR if path.is_dir() else errno.EINVAL, "not a regular file", str(path))
    return path


def read_regular(path: Path, most: int = MOST_BYTES) -> bytes:
    """Read a local file of moderate size, which the user names or which belongs to a folder.

    Raises:
        OSError: it cannot be read, or is a pipe, which could block, a device, which may have no end, or too large.
    """
    with regular(path).open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EINVAL, f"larger than {most >> 20} MiB", str(path))
    return data


def elsewhere(path: str | Path) -> bool:
    """Whether a file is in a tar or remote, so that `open` cannot read it."""
    return tar_shards.packed(path) is not None or is_remote(path)


def read_bytes(path: str | Path) -> bytes:
    """Read a local file, a file in a tar (``0001.tar/00012.jpg``), or a remote file.

    Raises:
        OSError: the file is missing, cannot be read, or is a pipe or a device.
        StorageError: the file is remote and cannot be read.
    """
    inside = tar_shards.packed(path)
    return tar_shards.read(*inside) if inside else regular(local_path(Path(path))).read_bytes()


def flush_to_disk(path: Path) -> None:
    """Wait until a file is on disk, so that a power loss cannot leave a name without content."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())

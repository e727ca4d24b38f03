"""Read, write, list and remove remote files."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from deepfake_cli.storage import downloads
from deepfake_cli.storage.filesystems import located, storage_errors
from deepfake_cli.storage.urls import is_remote, protocol

WHOLE = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oss", "r2")  # stores with atomic uploads
BLOCK = 2**20  # bytes per read of a partially read file


def put(local: Path, path: Path) -> None:
    """Upload a file to a remote path, atomically.

    Raises:
        StorageError: it cannot be written.
    """
    downloads.forget(path)
    with storage_errors(path, "written"):
        files, key = located(path)
        if protocol(path) in WHOLE:
            files.put_file(str(local), key)
            return
        files.makedirs(key.rpartition("/")[0], exist_ok=True)
        partial = f"{key}.{uuid4().hex}.partial"
        try:
            files.put_file(str(local), partial)
            files.mv(partial, key)
        finally:
            if files.exists(partial):
                files.rm_file(partial)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a file for random access, without downloading all of it.

    Raises:
        FileNotFoundError: there is no such file.
        StorageError: it cannot be read.
    """
    if not is_remote(path):
        with path.open("rb") as file:
            yield file
        return
    with storage_errors(path, "read"):
        files, key = located(path)
        file = files.open(key, "rb", block_size=BLOCK)
    with file:
        yield file


def state(path: Path) -> str:
    """The version of a remote file or folder: names, sizes, and ETags or modification times.

    Raises:
        StorageError: it cannot be read.
        FileNotFoundError: there is no such file.
    """
    with storage_errors(path, "read"):
        files, key = located(path)
        files.invalidate_cache(key.rpartition("/")[0])
        info = files.info(key)
        entries = {key: info} if info["type"] == "file" else files.find(key, detail=True)
        return " ".join(f"{name} {entry['size']} {_tag(entry)}" for name, entry in sorted(entries.items()))


def _tag(info: dict[str, Any]) -> str:
    return next((str(info[name]) for name in ("ETag", "etag", "mtime", "LastModified") if info.get(name)), "")


def find(path: Path) -> list[Path]:
    """List remote files, sorted: the file itself, all files below a folder, or all matches of a pattern with *.

    Raises:
        StorageError: they cannot be listed.
    """
    with storage_errors(path, "listed"):
        files, key = located(path)
        paths = files.glob(key) if "*" in key else files.find(key)
        return [Path(f"{protocol(path)}:/{name}") for name in sorted(map(str, paths))]


def file_names(folder: Path) -> set[str]:
    """The names of the files in a remote folder; empty if it does not exist."""
    with storage_errors(folder, "listed"):
        files, key = located(folder)
        try:
            return {entry["name"].rpartition("/")[2] for entry in files.ls(key, detail=True) if entry["type"] == "file"}
        except FileNotFoundError:
            return set()


def delete(path: Path) -> None:
    """Remove a remote file, if it exists.

    Raises:
        StorageError: it cannot be removed.
    """
    downloads.forget(path)
    with storage_errors(path, "removed"), suppress(FileNotFoundError):
        files, key = located(path)
        files.rm_file(key)

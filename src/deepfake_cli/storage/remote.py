"""Remote files, such as in object stores, through fsspec (https://filesystem-spec.readthedocs.io).

A remote path starts with a protocol: ``Path("s3://bucket/name")``, which pathlib normalises to ``s3:/bucket/name``.
"""

import atexit
import os
import re
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from deepfake_cli.errors import DeepfakeError, StorageError
from deepfake_cli.installation import install

REMOTE = re.compile(r"([a-z][a-z0-9+.-]+):/+(.+)", re.DOTALL)  # two letters or more: not a Windows drive
SPELT = re.compile(r"(?<![\w./-])([a-z][a-z0-9+.-]+):/(?=[\w*])")  # a remote path as normalised by pathlib, in a text
WHOLE = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oss", "r2")  # stores with atomic uploads
SHARE = 0.8  # maximum fraction of the free disk space for copies
BLOCK = 2**20  # bytes per read of a partially read file
SMALL = 2**24  # bytes, maximum size of a text file to download
TEXTS = (".csv", ".json", ".txt")


def is_remote(path: Path | str) -> bool:
    """Whether a path starts with a protocol."""
    return REMOTE.match(str(path)) is not None


def url(path: Path | str) -> str:
    """The path as a URL: ``s3://bucket/name``."""
    return REMOTE.sub(r"\1://\2", str(path))


def spelled(text: str) -> str:
    """Replace remote paths in a text by URLs."""
    return SPELT.sub(r"\1://", text)


def store(path: Path) -> str:
    """The protocol with bucket or host of a path; empty for a local path."""
    return "/".join(path.parts[:2]) if is_remote(path) else ""


def here(path: Path) -> Path:
    """The local path of a file: itself, or a downloaded copy if remote; unchanged if there is no file.

    Copies are cached until the process ends; the least recently used are dropped if the disk is full.

    Raises:
        StorageError: the file cannot be read.
    """
    return _copies().get(path) if is_remote(path) else path


@contextmanager
def lent(path: Path) -> Iterator[Path]:
    """As `here`, but the copy is deleted at the end; folders are copied recursively."""
    if not is_remote(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="deepfake-") as folder:
        copy = Path(folder) / path.name
        with _storage_errors(path, "read"):
            files, key = located(path)
            try:
                files.get_file(key, str(copy))
            except (FileNotFoundError, IsADirectoryError):
                if files.isdir(key):
                    files.get(key, str(copy), recursive=True)
        yield copy if copy.exists() else path


def put(local: Path, path: Path) -> None:
    """Upload a file to a remote path, atomically.

    Raises:
        StorageError: it cannot be written.
    """
    _copies().forget(path)
    with _storage_errors(path, "written"):
        files, key = located(path)
        if _protocol(path) in WHOLE:
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
    with _storage_errors(path, "read"):
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
    with _storage_errors(path, "read"):
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
    with _storage_errors(path, "listed"):
        files, key = located(path)
        paths = files.glob(key) if "*" in key else files.find(key)
        return [Path(f"{_protocol(path)}:/{name}") for name in sorted(map(str, paths))]


def names(folder: Path) -> set[str]:
    """The names of the files in a remote folder; empty if it does not exist."""
    with _storage_errors(folder, "listed"):
        files, key = located(folder)
        try:
            return {entry["name"].rpartition("/")[2] for entry in files.ls(key, detail=True) if entry["type"] == "file"}
        except FileNotFoundError:
            return set()


class Listed(NamedTuple):
    """A folder and its local stand-in."""

    folder: Path
    path: Path

    def origin(self, path: Path) -> Path:
        """Map a path in the stand-in to the real one; other paths are unchanged."""
        return self.folder / path.relative_to(self.path) if path.is_relative_to(self.path) else path


@contextmanager
def listed(folder: Path, *, required: bool = True) -> Iterator[Listed]:
    """Make a folder listable: itself, or a local stand-in for a remote folder; errors name the remote folder.

    Raises:
        StorageError: it cannot be listed; or it is required but empty.
    """
    if not is_remote(folder):
        yield Listed(folder, folder)
        return
    with tempfile.TemporaryDirectory(prefix="deepfake-") as name:
        standin = Path(name) / folder.name
        if not _stand_in(folder, standin) and required:
            raise StorageError(f"{url(folder)}: no files.")
        try:
            yield Listed(folder, standin)
        except DeepfakeError as error:
            raise type(error)(str(error).replace(str(standin), url(folder))) from None


def _stand_in(folder: Path, standin: Path) -> int:
    """Create files with the names, sizes and times of a remote folder; return their number.

    Only small text files get their content; videos are not downloaded.
    """
    with _storage_errors(folder, "listed"):
        files, key = located(folder)
        entries = files.find(key, detail=True)
        for name, info in entries.items():
            path = standin / name[len(key) :].lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix.lower() in TEXTS and info["size"] <= SMALL:
                files.get_file(name, str(path))
            else:
                with path.open("wb") as file:
                    file.truncate(info["size"])  # sparse, uses no disk space
            if written := _written(info):
                os.utime(path, (written, written))
    return len(entries)


def _written(info: dict[str, Any]) -> float | None:
    """Modification time of a remote file, in seconds since 1970; None if unknown."""
    time = next((info[name] for name in ("LastModified", "mtime", "updated", "last_modified") if info.get(name)), None)
    if isinstance(time, str):
        time = datetime.fromisoformat(time)
    return time.timestamp() if isinstance(time, datetime) else time


def drop(path: Path) -> None:
    """Remove a remote file, if it exists.

    Raises:
        StorageError: it cannot be removed.
    """
    _copies().forget(path)
    with _storage_errors(path, "removed"), suppress(FileNotFoundError):
        files, key = located(path)
        files.rm_file(key)


def remove(folder: Path, names: str) -> None:
    """Remove files below a remote folder whose relative paths match a regular expression."""
    with _storage_errors(folder, "removed"):
        files, key = located(folder)
        matches = [name for name in files.find(key) if re.fullmatch(names, name[len(key) :].lstrip("/"))]
        if matches:
            files.rm(matches)


class Copies:
    """Cache of remote files in a temporary folder."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="deepfake-"))
        atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
        self._room = int(shutil.disk_usage(self._folder).free * SHARE)
        self._held: OrderedDict[Path, tuple[Path, int]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._locks: dict[Path, threading.Lock] = {}

    def get(self, path: Path) -> Path:
        """The cached copy; `path` if there is no such file. Each file is downloaded by one thread only."""
        with self._lock:
            lock = self._locks.setdefault(path, threading.Lock())
        with lock:
            with self._lock:
                if path in self._held:
                    self._held.move_to_end(path)
                    return self._held[path][0]
            copy = self._folder / uuid4().hex[:8] / path.name
            try:
                with _storage_errors(path, "read"):
                    files, key = located(path)
                    copy.parent.mkdir()
                    files.get_file(key, str(copy))
            except FileNotFoundError:
                return path
            self._keep(path, copy)
            return copy

    def forget(self, path: Path) -> None:
        """Drop the copy of a file that is about to change."""
        with self._lock:
            if path in self._held:
                self._drop(*self._held.pop(path))

    def _keep(self, path: Path, copy: Path) -> None:
        with self._lock:
            self._held[path] = copy, copy.stat().st_size
            self._size += copy.stat().st_size
            while len(self._held) > 1 and self._size > self._room:
                self._drop(*self._held.popitem(last=False)[1])

    def _drop(self, copy: Path, size: int) -> None:
        self._size -= size
        shutil.rmtree(copy.parent, ignore_errors=True)  # open files stay readable


@cache
def _copies() -> Copies:
    return Copies()


def _protocol(path: Path) -> str:
    match = REMOTE.match(str(path))
    assert match
    return match[1]


def located(path: Path) -> tuple[Any, str]:
    """The fsspec file system of a remote path, and the path in it.

    Raises:
        StorageError: the package for this protocol is missing.
    """
    files = _files(_protocol(path))
    return files, files._strip_protocol(url(path))


@cache
def _files(protocol: str) -> Any:
    """The fsspec file system of a protocol, one per process; credentials come from the environment.

    Raises:
        StorageError: the package for this protocol is missing.
    """
    try:
        import fsspec

        return fsspec.filesystem(protocol)
    except (ImportError, ValueError) as error:
        raise StorageError(
            f"{protocol}://: {error}. For s3://: {install('s3')}; for gs://: {install('gs')}; for another protocol: the package "
            "that fsspec needs."
        ) from None


@contextmanager
def _storage_errors(path: Path, what: str) -> Iterator[None]:
    """Convert exceptions of fsspec to a `StorageError` that names the file."""
    try:
        yield
    except (FileNotFoundError, StorageError):
        raise
    except Exception as error:  # each file system of fsspec has its own
        text = " ".join(str(error).split()) or type(error).__name__
        raise StorageError(
            f"{url(path)} cannot be {what}: {text}. Check the address, the credentials and the network."
        ) from error

"""Files in object stores and on other machines, by fsspec (https://filesystem-spec.readthedocs.io).

A remote path is one that begins with a protocol: ``Path("s3://bucket/name")``, which pathlib spells ``s3:/bucket/name``.
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

REMOTE = re.compile(r"([a-z][a-z0-9+.-]+):/+(.+)", re.DOTALL)  # a drive of Windows has one letter
SPELT = re.compile(r"(?<![\w./-])([a-z][a-z0-9+.-]+):/(?=[\w*])")  # as pathlib spells it, in a text
WHOLE = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oss", "r2")  # where a file appears whole by itself
SHARE = 0.8  # of the free disk, that copies may take
BLOCK = 2**20  # bytes that are read at once of a file of which only a part is wanted
SMALL = 2**24  # bytes: a list or a record, not a video
TEXTS = (".csv", ".json", ".txt")


def is_remote(path: Path | str) -> bool:
    """Whether a path begins with a protocol."""
    return REMOTE.match(str(path)) is not None


def url(path: Path | str) -> str:
    """The path as others write it: ``s3://bucket/name``."""
    return REMOTE.sub(r"\1://\2", str(path))


def spelled(text: str) -> str:
    """A text with the remote paths in it as others write them."""
    return SPELT.sub(r"\1://", text)


def store(path: Path) -> str:
    """Where a path is: the protocol and the bucket or host; empty for this machine."""
    return "/".join(path.parts[:2]) if is_remote(path) else ""


def here(path: Path) -> Path:
    """A local file with what is at a path: itself, or a copy of a remote one; the path, if nothing is there.

    Copies are kept while this process lives and the disk has room; the least recently used go first.

    Raises:
        StorageError: it can't be read.
    """
    return _copies().get(path) if is_remote(path) else path


@contextmanager
def lent(path: Path) -> Iterator[Path]:
    """As `here`, with the copy gone at the end; a folder is copied with all that is in it."""
    if not is_remote(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="deepfake-") as folder:
        copy = Path(folder) / path.name
        with _told(path, "read"):
            files, key = located(path)
            try:
                files.get_file(key, str(copy))
            except (FileNotFoundError, IsADirectoryError):
                if files.isdir(key):
                    files.get(key, str(copy), recursive=True)
        yield copy if copy.exists() else path


def put(local: Path, path: Path) -> None:
    """Write a file to a remote path, whole or not at all.

    Raises:
        StorageError: it can't be written.
    """
    _copies().forget(path)
    with _told(path, "written"):
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
    """A file to read and seek in, without a copy of all of it.

    Raises:
        FileNotFoundError: there is none.
        StorageError: it can't be read.
    """
    if not is_remote(path):
        with path.open("rb") as file:
            yield file
        return
    with _told(path, "read"):
        files, key = located(path)
        file = files.open(key, "rb", block_size=BLOCK)
    with file:
        yield file


def state(path: Path) -> str:
    """What is different once a remote file, or a folder, is another: sizes, and tags or the times of writing.

    Raises:
        StorageError: it can't be read.
        FileNotFoundError: there is none.
    """
    with _told(path, "read"):
        files, key = located(path)
        files.invalidate_cache(key.rpartition("/")[0])
        info = files.info(key)
        found = {key: info} if info["type"] == "file" else files.find(key, detail=True)
        return " ".join(f"{name} {each['size']} {_tag(each)}" for name, each in sorted(found.items()))


def _tag(info: dict[str, Any]) -> str:
    return next((str(info[name]) for name in ("ETag", "etag", "mtime", "LastModified") if info.get(name)), "")


def find(path: Path) -> list[Path]:
    """The remote files that a path names: itself, all below a folder, or those that a pattern with * matches; in order.

    Raises:
        StorageError: they can't be listed.
    """
    with _told(path, "listed"):
        files, key = located(path)
        found = files.glob(key) if "*" in key else files.find(key)
        return [Path(f"{_protocol(path)}:/{name}") for name in sorted(map(str, found))]


def names(folder: Path) -> set[str]:
    """The names of the files in a remote folder; none if it isn't there."""
    with _told(folder, "listed"):
        files, key = located(folder)
        try:
            return {each["name"].rpartition("/")[2] for each in files.ls(key, detail=True) if each["type"] == "file"}
        except FileNotFoundError:
            return set()


class Listed(NamedTuple):
    """A folder, and the local one that stands for it."""

    folder: Path
    path: Path

    def origin(self, path: Path) -> Path:
        """Where a path in the stand-in really is; other paths stay."""
        return self.folder / path.relative_to(self.path) if path.is_relative_to(self.path) else path


@contextmanager
def listed(folder: Path, *, required: bool = True) -> Iterator[Listed]:
    """A folder to look for files in: itself, or a local stand-in for a remote one; faults that name it name the remote one.

    Raises:
        StorageError: it can't be listed; or, if it is required, holds nothing.
    """
    if not is_remote(folder):
        yield Listed(folder, folder)
        return
    with tempfile.TemporaryDirectory(prefix="deepfake-") as name:
        standin = Path(name) / folder.name
        if not _stand_in(folder, standin) and required:
            raise StorageError(f"{url(folder)}: nothing is there.")
        try:
            yield Listed(folder, standin)
        except DeepfakeError as error:
            raise type(error)(str(error).replace(str(standin), url(folder))) from None


def _stand_in(folder: Path, standin: Path) -> int:
    """Fill a local folder with a remote one's names, sizes and times, and the content of small texts; return how many.

    Videos stay where they are.
    """
    with _told(folder, "listed"):
        files, key = located(folder)
        found = files.find(key, detail=True)
        for name, info in found.items():
            path = standin / name[len(key) :].lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix.lower() in TEXTS and info["size"] <= SMALL:
                files.get_file(name, str(path))
            else:
                with path.open("wb") as file:
                    file.truncate(info["size"])  # takes no room on a disk
            if written := _written(info):
                os.utime(path, (written, written))
    return len(found)


def _written(info: dict[str, Any]) -> float | None:
    """When a remote file was written, in seconds since 1970, as its file system tells it, if it does."""
    said = next((info[name] for name in ("LastModified", "mtime", "updated", "last_modified") if info.get(name)), None)
    if isinstance(said, str):
        said = datetime.fromisoformat(said)
    return said.timestamp() if isinstance(said, datetime) else said


def drop(path: Path) -> None:
    """Remove a remote file, if it is there.

    Raises:
        StorageError: it can't be removed.
    """
    _copies().forget(path)
    with _told(path, "removed"), suppress(FileNotFoundError):
        files, key = located(path)
        files.rm_file(key)


def remove(folder: Path, names: str) -> None:
    """Remove those files below a remote folder whose names from there on match a regular expression."""
    with _told(folder, "removed"):
        files, key = located(folder)
        found = [name for name in files.find(key) if re.fullmatch(names, name[len(key) :].lstrip("/"))]
        if found:
            files.rm(found)


class Copies:
    """Copies of remote files in a temporary folder."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="deepfake-"))
        atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
        self._room = int(shutil.disk_usage(self._folder).free * SHARE)
        self._held: OrderedDict[Path, tuple[Path, int]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._locks: dict[Path, threading.Lock] = {}

    def get(self, path: Path) -> Path:
        """The copy; `path` if nothing is there. Two threads never copy one file."""
        with self._lock:
            lock = self._locks.setdefault(path, threading.Lock())
        with lock:
            with self._lock:
                if path in self._held:
                    self._held.move_to_end(path)
                    return self._held[path][0]
            copy = self._folder / uuid4().hex[:8] / path.name
            try:
                with _told(path, "read"):
                    files, key = located(path)
                    copy.parent.mkdir()
                    files.get_file(key, str(copy))
            except FileNotFoundError:
                return path
            self._keep(path, copy)
            return copy

    def forget(self, path: Path) -> None:
        """Drop the copy of what is about to be another file."""
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
        shutil.rmtree(copy.parent, ignore_errors=True)  # who has it open reads on


@cache
def _copies() -> Copies:
    return Copies()


def _protocol(path: Path) -> str:
    found = REMOTE.match(str(path))
    assert found
    return found[1]


def located(path: Path) -> tuple[Any, str]:
    """The fsspec file system of a remote path, and its name there.

    Raises:
        StorageError: the package for this protocol is missing.
    """
    files = _files(_protocol(path))
    return files, files._strip_protocol(url(path))


@cache
def _files(protocol: str) -> Any:
    """One a process; credentials and addresses are those of the environment, as for the store's own tools.

    Raises:
        StorageError: the package for this protocol is missing.
    """
    try:
        import fsspec

        return fsspec.filesystem(protocol)
    except (ImportError, ValueError) as error:
        raise StorageError(
            f"{protocol}://: {error}. pip install 'deepfake-cli[s3]' for s3://, 'deepfake-cli[gs]' for gs://, or the package "
            "that fsspec needs for another."
        ) from None


@contextmanager
def _told(path: Path, what: str) -> Iterator[None]:
    """Faults of the network or the store, in words that name the file."""
    try:
        yield
    except (FileNotFoundError, StorageError):
        raise
    except Exception as error:  # of any of fsspec's file systems
        text = " ".join(str(error).split()) or type(error).__name__
        raise StorageError(
            f"{url(path)} cannot be {what}: {text}. Check the address, the credentials and the network."
        ) from error

"""Local copies of remote files: cached, or deleted after use."""

import atexit
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

from deepfake_cli.storage.filesystems import located, storage_errors
from deepfake_cli.storage.urls import is_remote

SHARE = 0.8  # maximum fraction of the free disk space for copies


def local_path(path: Path) -> Path:
    """The local path of a file: itself, or a downloaded copy if remote; unchanged if there is no file.

    Copies are cached until the process ends; the least recently used are dropped if the disk is full.

    Raises:
        StorageError: the file cannot be read.
    """
    return _copies().get(path) if is_remote(path) else path


def is_there(path: Path) -> bool:
    """Whether a path, on disk or remote, is a file; nothing is downloaded.

    Raises:
        StorageError: the store cannot be read.
    """
    if not is_remote(path):
        return path.is_file()
    with storage_errors(path, "read"):
        files, key = located(path)
        files.invalidate_cache(key.rpartition("/")[0])  # what another process has written counts
        try:
            return bool(files.info(key)["type"] == "file")  # fsspec's isfile takes every fault for "no"
        except FileNotFoundError:
            return False


@contextmanager
def downloaded(path: Path) -> Iterator[Path]:
    """As `local_path`, but a downloaded copy is deleted at the end; folders are copied recursively."""
    if not is_remote(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="deepfake-") as folder:
        copy = Path(folder) / path.name
        with storage_errors(path, "read"):
            files, key = located(path)
            try:
                files.get_file(key, str(copy))
            except (FileNotFoundError, IsADirectoryError):
                if files.isdir(key):
                    files.get(key, str(copy), recursive=True)
        yield copy if copy.exists() else path


def forget(path: Path) -> None:
    """Drop the cached copy of a file that is about to change."""
    _copies().forget(path)


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
                with storage_errors(path, "read"):
                    files, key = located(path)
                    copy.parent.mkdir()
                    files.get_file(key, str(copy))
            except FileNotFoundError:
                return path
            self._keep(path, copy)
            return copy

    def forget(self, path: Path) -> None:
        """Drop the copy of a file."""
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

"""List a remote folder as if it were a local one."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from deepfake_cli.errors import DeepfakeError, StorageError
from deepfake_cli.storage.filesystems import located, storage_errors
from deepfake_cli.storage.urls import is_remote, url

SMALL = 2**24  # bytes, maximum size of a text file to download
TEXTS = (".csv", ".json", ".txt")


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
    with storage_errors(folder, "listed"):
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

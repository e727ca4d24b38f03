"""Which lists in a folder make-csv has written itself, so that it replaces no others."""

import re
from collections.abc import Iterable
from pathlib import Path

from deepfake_cli.data import protocol
from deepfake_cli.errors import ManifestError
from deepfake_cli.storage import remote
from deepfake_cli.storage.downloads import is_there, local_path
from deepfake_cli.storage.files import write_text
from deepfake_cli.storage.hashes import sha256
from deepfake_cli.storage.urls import is_remote

MARK = ".make-csv"  # names of the lists that are being written; gone once protocol.json has their hashes


def existing(folder: Path, pattern: str) -> list[str]:
    """The names, relative to a folder of lists, of the files that match a regular expression; all written by make-csv.

    Raises:
        ManifestError: one is not, or was changed since.
    """
    paths = remote.find(folder) if is_remote(folder) else folder.glob("**/*.csv")
    names = sorted(name for path in paths if re.fullmatch(pattern, name := path.relative_to(folder).as_posix()))
    if not names:
        return []
    try:
        recorded = {name: entry.get("sha256") for name, entry in protocol.read(folder)["lists"].items()}
    except (ManifestError, AttributeError):
        recorded = {}
    begun = local_path(folder / MARK).read_text(encoding="utf-8").splitlines() if is_there(folder / MARK) else []
    for name in names:
        if name not in begun and recorded.get(name) != sha256(folder / name):
            fault = f"has changed since {protocol.NAME} was written" if name in recorded else "is no list of make-csv"
            raise ManifestError(f"{folder / name} {fault}, and would be replaced: move it, or choose another --csvdir.")
    return names


def replace(folder: Path, old: Iterable[str], new: Iterable[str]) -> None:
    """Remove the old lists and their record, and note that the new ones are being written."""
    write_text(folder / MARK, "\n".join(sorted({*old, *new})) + "\n")
    for name in (protocol.NAME, *old):
        _remove(folder / name)


def finish(folder: Path) -> None:
    """Note that the lists and their record are complete."""
    _remove(folder / MARK)


def _remove(path: Path) -> None:
    remote.delete(path) if is_remote(path) else path.unlink(missing_ok=True)

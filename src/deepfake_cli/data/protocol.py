"""``protocol.json``: how the lists were split, their counts and hashes."""

from pathlib import Path
from typing import Any

from deepfake_cli.errors import ManifestError
from deepfake_cli.storage.files import write_text
from deepfake_cli.storage.json_files import Part, Text, json_text, read_json

NAME = "protocol.json"


class Listed(Part):
    """The record of a list."""

    sha256: str | None = None


class Protocol(Part):
    """``protocol.json``."""

    protocol: str | None = None
    lists: dict[Text, Listed]


def write(folder: Path, record: dict[str, Any]) -> Path:
    """Write the record, after all lists are complete."""
    path = folder / NAME
    write_text(path, json_text(record, indent=2) + "\n")
    return path


def read(folder: Path) -> dict[str, Any]:
    """Read the record of a folder of lists.

    Raises:
        ManifestError: it is missing or invalid.
    """
    path = folder / NAME
    return read_json(path, Protocol, ManifestError, "It is written by deepfake make-csv: run it again.")

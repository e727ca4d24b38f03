"""``protocol.json``: how the lists were split, their counts and hashes."""

import hashlib
import json
from pathlib import Path
from typing import Any

from deepfake_cli.errors import ManifestError
from deepfake_cli.storage.disk import reason
from deepfake_cli.storage.files import read_bytes, write_text
from deepfake_cli.storage.remote import here

NAME = "protocol.json"


def write(folder: Path, record: dict[str, Any]) -> Path:
    """Write the record, after all lists are complete."""
    path = folder / NAME
    write_text(path, json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    return path


def read(folder: Path) -> dict[str, Any]:
    """Read the record of a folder of lists.

    Raises:
        ManifestError: it is missing or invalid.
    """
    path = folder / NAME
    try:
        record = json.loads(read_bytes(path))
        if not isinstance(record, dict) or not isinstance(record.get("lists"), dict):
            raise ValueError("it has no lists")
    except FileNotFoundError:
        raise ManifestError(f"{path}: no such file. It is written by deepfake make-csv.") from None
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path}: cannot be read: {reason(error)}. Run deepfake make-csv again.") from None
    return record


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, as hexadecimal digits."""
    with here(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

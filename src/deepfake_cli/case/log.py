"""``log.jsonl``: what was done, a line each; each line holds the hash of the one before, so none can be changed alone."""

import hashlib
from pathlib import Path
from typing import Any

from deepfake_cli.errors import DeepfakeError
from deepfake_cli.inference.record import now
from deepfake_cli.storage.json_files import json_text, parse_json

NAME = "log.jsonl"
FIRST = "0" * 64  # the hash before the first line


class Log:
    """The log of a case, to which lines are appended.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path):
        self._path, self._previous = path, FIRST

    def add(self, event: str, **facts: Any) -> None:
        """Append a line: the UTC time, what was done, and facts by name."""
        entry = {"time": now(), "event": event, **facts, "previous": self._previous}
        line = json_text(entry).encode()
        with self._path.open("ab") as file:
            file.write(line + b"\n")
        self._previous = hashlib.sha256(line).hexdigest()


def fault(path: Path) -> str:
    """What is wrong with a log: the first line that does not follow the one before; empty if all do."""
    previous = FIRST
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            told = parse_json(line, dict[str, Any], str(path), DeepfakeError).get("previous")
        except DeepfakeError:
            told = None
        if told != previous:
            return f"line {number} does not follow the one before"
        previous = hashlib.sha256(line).hexdigest()
    return ""

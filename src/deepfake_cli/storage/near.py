"""Suggest an existing path for one that does not exist."""

import difflib
from pathlib import Path

from deepfake_cli.storage.folders import exists, is_folder
from deepfake_cli.storage.urls import is_remote

ALIKE = 0.7  # of two names; at difflib's own 0.6, .mp4 alone makes short ones alike


def hint(path: Path) -> str:
    """A suggestion, `` Did you mean runs/a/best.keras?``, if a path exists that differs by a few letters; else nothing."""
    found = None if is_remote(path) or exists(path) else _nearest(path)
    return f" Did you mean {found}?" if found and exists(found) else ""


def _nearest(path: Path) -> Path | None:
    """The path with each name that does not exist replaced by the one most like it."""
    if exists(path):
        return path
    parent = _nearest(path.parent) if path.parent != path else None
    if parent is None or not is_folder(parent):
        return None
    if exists(parent / path.name):
        return parent / path.name
    try:
        names = [entry.name for entry in parent.iterdir() if not entry.name.startswith(".")]
    except OSError:
        return None
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=ALIKE)
    return parent / close[0] if close else None

"""Recognise a ``predictions.csv`` of `evaluate`, and find its snapshot."""

import csv
from pathlib import Path
from typing import Any

from deepfake_cli.errors import ModelError
from deepfake_cli.inference.runtimes.metadata import Card, terms
from deepfake_cli.storage.file_sets import finish
from deepfake_cli.storage.json_files import Part, Text, read_json
from deepfake_cli.storage.remote import here

COLUMNS = ("path", "dataset", "group", "video", "label", "score")
SUMMARY = "metrics.json"  # in the same folder
MEND = "Run deepfake evaluate again."


class Summary(Part):
    """What is read of ``metrics.json``."""

    snapshot: Text | None = None
    calibration: dict[str, Any] | None = None
    card: Card | None = None


def is_predictions(path: Path) -> bool:
    """Whether a file has the columns of predictions; the scores in a manifest are those of the face detector."""
    finish(path.parent)
    try:
        with here(path).open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError, csv.Error):
        return False
    return set(COLUMNS) <= set(header) and "box" not in header


def terms_of(predictions: Path) -> str:
    """What the licence of the detector that made predictions forbids, as text; empty if that is nothing, or unknown.

    Raises:
        ModelError: the ``metrics.json`` beside them is invalid.
    """
    summary = read_json(predictions.parent / SUMMARY, Summary, ModelError, MEND, required=False) or {}
    return terms(summary.get("card"))


def evaluated(predictions: Path, named: list[Path]) -> Path:
    """Return the snapshot of uncalibrated predictions: the given one, or that in ``metrics.json``.

    Raises:
        ModelError: neither is there, they differ, the scores are already calibrated, or ``metrics.json`` is invalid.
    """
    summary = read_json(predictions.parent / SUMMARY, Summary, ModelError, MEND, required=False) or {}
    recorded = summary.get("snapshot")
    if summary.get("calibration"):
        raise ModelError(f"{predictions}: its scores are already calibrated. Run deepfake evaluate --no-calibration")
    if not named and not recorded:
        raise ModelError(f"{predictions}: no {SUMMARY} next to it names its snapshot: give the snapshot too.")
    if named and recorded and named[0].resolve() != Path(recorded).resolve():
        raise ModelError(f"{predictions} was made by {recorded}, not by {named[0]}: give one of the two.")
    return named[0] if named else Path(str(recorded))

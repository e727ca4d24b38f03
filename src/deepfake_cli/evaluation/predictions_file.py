"""Recognise a ``predictions.csv`` of `evaluate`, and find its snapshot."""

import csv
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from deepfake_cli.errors import ModelError
from deepfake_cli.inference.runtimes.metadata import Card, terms
from deepfake_cli.reporting.folder import METRICS, PREDICTIONS
from deepfake_cli.storage.downloads import local_path
from deepfake_cli.storage.file_sets import finish
from deepfake_cli.storage.json_files import Part, Text, read_json

COLUMNS = ("path", "dataset", "group", "video", "label", "score")
MEND = "Run deepfake evaluate again."


class Summary(Part):
    """What is read of ``metrics.json``."""

    snapshot: Text | None = None
    calibration: dict[str, Any] | None = None
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    notes: list[str] = []
    card: Card | None = None


def is_predictions(path: Path) -> bool:
    """Whether a file has the columns of predictions; the scores in a manifest are those of the face detector."""
    finish(path.parent)
    local = local_path(path)
    if not local.is_file():  # opening a pipe would block
        return False
    try:
        with local.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError, csv.Error):
        return False
    return set(COLUMNS) <= set(header) and "box" not in header


def terms_of(predictions: Path) -> str:
    """What the licence of the detector that made predictions forbids, as text; empty if that is nothing, or unknown.

    Raises:
        ModelError: the ``metrics.json`` beside them is invalid.
    """
    summary = read_json(predictions.parent / METRICS, Summary, ModelError, MEND, required=False) or {}
    return terms(summary.get("card"))


def calibration_in(predictions: Path) -> dict[str, Any] | None:
    """The calibration of the scores in a predictions file, as in the ``metrics.json`` next to it; None if there is none."""
    summary = read_json(predictions.parent / METRICS, Summary, ModelError, MEND, required=False) or {}
    return summary.get("calibration")


def evaluated(predictions: Path, named: list[Path], *, calibrated: bool = False) -> Path:
    """Return the snapshot of predictions: the given one, or that in ``metrics.json``.

    Args:
        predictions: the file.
        named: the given snapshot, if any.
        calibrated: whether its scores may be calibrated.

    Raises:
        ModelError: neither is there, they differ, the scores are already calibrated, or ``metrics.json`` is invalid.
    """
    summary = read_json(predictions.parent / METRICS, Summary, ModelError, MEND, required=False) or {}
    recorded = summary.get("snapshot")
    if summary.get("calibration") and not calibrated:
        raise ModelError(f"{predictions}: its scores are already calibrated. Run deepfake evaluate --no-calibration")
    if not named and not recorded:
        raise ModelError(f"{predictions}: no {METRICS} next to it names its snapshot: give the snapshot too.")
    if named and recorded and named[0].resolve() != Path(recorded).resolve():
        raise ModelError(f"{predictions} was made by {recorded}, not by {named[0]}: give one of the two.")
    return named[0] if named else Path(str(recorded))


def notes_of(predictions: Path, threshold: float) -> list[str]:
    """The notes of the evaluation that wrote a ``predictions.csv``; and one if it had another threshold.

    Raises:
        ModelError: ``metrics.json`` next to it is invalid.
    """
    if predictions.name != PREDICTIONS:
        return []
    summary = read_json(predictions.parent / METRICS, Summary, ModelError, MEND, required=False) or {}
    before = summary.get("threshold")
    if before is None or abs(before - threshold) < 1e-9:
        return list(summary.get("notes", []))
    other = (
        f"Evaluated at threshold {before:.3f}, compared at {threshold:.3f}: set it with --threshold or --threshold-b."
    )
    return [*summary.get("notes", []), other]

"""Whether a file is ``predictions.csv``, as evaluate leaves it, and which snapshot made it."""

import csv
import json
from pathlib import Path

from deepfake_cli.errors import ModelError
from deepfake_cli.storage.files import read_bytes
from deepfake_cli.storage.remote import here

COLUMNS = ("path", "dataset", "group", "video", "label", "score")
SUMMARY = "metrics.json"  # beside it


def is_predictions(path: Path) -> bool:
    """Whether a file has the columns of predictions; a manifest of split has scores too, but the face detector's."""
    try:
        with here(path).open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError, csv.Error):
        return False
    return set(COLUMNS) <= set(header) and "box" not in header


def evaluated(predictions: Path, named: list[Path]) -> Path:
    """The snapshot that made predictions, whose scores are as it gave them: the one named, or as ``metrics.json`` says.

    Raises:
        ModelError: nothing says which, two say different ones, or the scores are calibrated already.
    """
    try:
        summary = json.loads(read_bytes(predictions.parent / SUMMARY))
        said = summary.get("snapshot")
    except (OSError, ValueError, AttributeError):
        summary, said = {}, None
    if summary.get("calibration"):
        raise ModelError(
            f"{predictions}: its scores are calibrated already. Make them anew: deepfake evaluate --no-calibration"
        )
    if not named and not said:
        raise ModelError(f"{predictions}: no {SUMMARY} beside it says which snapshot made it; name the snapshot too.")
    if named and said and named[0].resolve() != Path(said).resolve():
        raise ModelError(f"{predictions} was made by {said}, not by {named[0]}: name one or the other.")
    return named[0] if named else Path(said)

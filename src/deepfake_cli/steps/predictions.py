"""``predictions.csv``, as evaluate leaves it, read again: frames with their scores."""

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

from deepfake_cli.errors import ManifestError, ModelError
from deepfake_cli.manifest import LABELS

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("path", "dataset", "group", "video", "label", "score")
SUMMARY = "metrics.json"  # beside it


def is_predictions(path: Path) -> bool:
    """Whether a file has the columns of predictions; a manifest of split has scores too, but the face detector's."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError, csv.Error):
        return False
    return set(COLUMNS) <= set(header) and "box" not in header


def read_predictions(path: Path) -> "pd.DataFrame":
    """Read predictions.

    Returns:
        The columns dataset, video, group (str), label (int64, fake = 1) and score (float64), one row a frame; rows without
        a score (no face was found) are left out.

    Raises:
        ManifestError: it can't be read, holds no score, or a label is neither real nor fake.
    """
    import pandas as pd

    try:
        kinds = dict.fromkeys(("dataset", "group", "video", "label"), str)
        table = pd.read_csv(
            path, dtype=kinds, usecols=[*kinds, "score"], keep_default_na=False, na_values={"score": [""]}
        )
        table["score"] = table["score"].astype("float64")
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path}: cannot be read as predictions of evaluate: {error}") from None
    table = table[table["score"].notna()].reset_index(drop=True)
    labels = table["label"].map(LABELS)
    if table.empty or labels.isna().any():
        found = "no score" if table.empty else f"label {table['label'][int(labels.isna().argmax())]!r}"
        raise ManifestError(f"{path}: found {found}; deepfake evaluate writes predictions with real, fake and scores.")
    return table.assign(label=labels.astype("int64"))


def evaluated(predictions: Path, named: list[Path]) -> Path:
    """The snapshot that made predictions, whose scores are as it gave them: the one named, or as ``metrics.json`` says.

    Raises:
        ModelError: nothing says which, two say different ones, or the scores are calibrated already.
    """
    try:
        summary = json.loads((predictions.parent / SUMMARY).read_text(encoding="utf-8"))
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

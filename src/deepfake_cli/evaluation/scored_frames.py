"""Scored frames, from a detector or a file, and notes about them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.datasets.clip import LABELS
from deepfake_cli.evaluation.calibrated import Calibrated
from deepfake_cli.evaluation.keras_scorer import Trained
from deepfake_cli.evaluation.onnx_scorer import Exported
from deepfake_cli.metrics import predictions

if TYPE_CHECKING:
    import pandas as pd

LISTED = 20  # videos without a score to list


@dataclass
class Judged:
    """Scored frames and their origin.

    Attributes:
        frames: the columns of a list, and score.
        missing: videos without a score.
        unscored: number of rows without a score.
        threshold: scores at or above it are predicted fake.
        pool: pooling of frame scores.
        notes: caveats for the reader of the metrics.
        lists: files that were read.
        snapshot: path of the detector; None if unknown.
        detector: the detector; None for scores from a file.
        calibrated: the calibration of the scores.
    """

    frames: "pd.DataFrame"
    missing: "pd.DataFrame"
    unscored: int
    threshold: float
    pool: str
    notes: list[str]
    lists: list[Path]
    snapshot: str | None = None
    detector: Trained | Exported | None = None
    calibrated: Calibrated = field(default_factory=Calibrated)


def from_file(path: Path, *, columns: str | None, pool: str, threshold: float | None) -> Judged:
    """Read the scores of a predictions file.

    Args:
        path: the CSV.
        columns: mapping of columns, as in ``--columns``.
        pool: pooling of frame scores; "auto" for the mean.
        threshold: None for 0.5.
    """
    table = predictions.read(path, predictions.mapping(columns))
    notes = list(table.notes)
    if threshold is None:
        notes.append("The file has no threshold: using 0.5. Set another with --threshold.")
    frames = table.frames.drop(columns=[name for name in ("path", "frame") if name not in table.own], errors="ignore")
    return Judged(
        frames,
        table.missing,
        table.unscored,
        0.5 if threshold is None else threshold,
        "mean" if pool == "auto" else pool,
        notes,
        [path],
    )


def errors(judged: Judged) -> dict[str, Any]:
    """Count videos and rows without a score, and list the first videos."""
    shown = judged.missing.head(LISTED)
    named = shown.assign(label=shown["label"].map(dict(enumerate(LABELS))))
    listed = named[["dataset", "video", "label", "reason"]].to_dict("records")
    return {"videos": len(judged.missing), "rows": judged.unscored, "listed": listed}

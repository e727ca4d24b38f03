"""Scored frames, wherever the scores are from, and what `evaluate` says of them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.config import Evaluate
from deepfake_cli.datasets.clip import LABELS
from deepfake_cli.evaluation.calibrated import Calibrated
from deepfake_cli.evaluation.keras_scorer import Trained
from deepfake_cli.evaluation.onnx_scorer import Exported
from deepfake_cli.metrics import predictions

if TYPE_CHECKING:
    import pandas as pd

LISTED = 20  # videos without a score that are named
FEW = 10  # units, below which an interval says so


@dataclass
class Judged:
    """Scored frames and what is known of them.

    Attributes:
        frames: the columns of a list, and score.
        missing: videos that have no score.
        unscored: rows that have none.
        threshold: scores from here on are called fake.
        pool: what makes a video's score.
        notes: what a reader of the figures should know.
        lists: what was read.
        snapshot: what scored them; None if that is not known.
        detector: what scored them; None where scores were read.
        calibrated: the calibration that its scores went through.
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


def from_file(settings: Evaluate, path: Path) -> Judged:
    """Read the scores of ``--predictions``."""
    found = predictions.read(path, predictions.mapping(settings.columns))
    pool, notes = ("mean" if settings.pool == "auto" else settings.pool), found.notes
    if settings.threshold is None:
        notes = [
            *notes,
            "The file doesn't say which threshold was chosen on validation: 0.5 is used; --threshold sets it.",
        ]
    threshold = 0.5 if settings.threshold is None else settings.threshold
    frames = found.frames.drop(columns=[name for name in ("path", "frame") if name not in found.own], errors="ignore")
    return Judged(frames, found.missing, found.unscored, threshold, pool, notes, [path])


def errors(judged: Judged) -> dict[str, Any]:
    """How many videos and rows have no score, and the first of the videos."""
    shown = judged.missing.head(LISTED)
    named = shown.assign(label=shown["label"].map(dict(enumerate(LABELS))))
    listed = named[["dataset", "video", "label", "reason"]].to_dict("records")
    return {"videos": len(judged.missing), "rows": judged.unscored, "listed": listed}


def few(interval: dict[str, Any]) -> list[str]:
    """A note, where there are too few units for an interval."""
    units, unit = interval["units"], interval["unit"]
    if units >= FEW:
        return []
    return [f"Intervals from {units} {unit}{'s' * (units > 1)} mean little: they can't tell how other people would do."]

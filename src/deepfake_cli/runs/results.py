"""The metrics of every epoch: which is the best, and ``results.csv`` and ``results.png`` for people and other programs.

The files come from the history in the recipe alone, so a run that was interrupted and resumed ends with the same files as
one that was not.
"""

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepfake_cli.storage.csv_cells import write_rows
from deepfake_cli.storage.files import write_text

CSV, PLOT = "results.csv", "results.png"


def write(folder: Path, history: Sequence[Mapping[str, Any]]) -> None:
    """Write ``results.csv``, a row per epoch, completely or not at all; nothing before the first epoch."""
    if history:
        text = io.StringIO()
        write_rows(text, list(dict.fromkeys(name for row in history for name in row)), history)
        write_text(folder / CSV, text.getvalue())


def draw(folder: Path, history: Sequence[Mapping[str, Any]], best: int | None) -> None:
    """Draw ``results.png``; `best` is the epoch of ``best.keras``."""
    from deepfake_cli.reporting.figures.results import results_plot

    if history:
        results_plot(folder / PLOT, history, best)


def rank(row: Mapping[str, Any]) -> tuple[float, float]:
    """Sort key of an epoch: validation AUC, then lower validation loss."""
    return row.get("val_auc", -math.inf), -row.get("val_loss", math.inf)


def epochs_since_best(aucs: Sequence[float]) -> int:
    """Number of epochs since the highest validation AUC."""
    return len(aucs) - 1 - max(range(len(aucs)), key=aucs.__getitem__) if aucs else 0

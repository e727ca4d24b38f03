"""``results.csv`` and ``results.png``, beside the snapshots: the metrics of every epoch, for people and other programs.

Both come from the history in the recipe alone, so a run that was interrupted and resumed ends with the same files as one that
was not.
"""

import io
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

"""``deepfake runs``."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from deepfake_cli.cli.console import console, print_json, table
from deepfake_cli.config import RUNS

COLUMNS = ("run", "epochs", "best", "frame AUC", "video AUC", "state", "MB", "began", "model")
NARROW = 6  # columns that fit in a narrow terminal
WIDE = 160  # characters, for a pipe or a file


def runs(
    runs_dir: Annotated[Path, typer.Option(help="Folder of the runs")] = RUNS,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON")] = False,
) -> None:
    """List training runs, newest first: state, epochs, AUC, size."""
    from deepfake_cli.runs.listing import runs as list_runs

    rows = list_runs(runs_dir.expanduser())
    if json:
        return print_json([asdict(run) for run in rows])
    if not rows:
        return console.print(f"No runs in {runs_dir}. Start one with deepfake train.")
    cells = [
        (
            run.name,
            "–" if run.epochs is None else f"{run.epochs}/{run.asked}",
            run.best or "–",
            *("–" if auc is None else f"{auc:.3f}" for auc in (run.val_auc, run.val_video_auc)),
            _state(run.state, run.step, run.fault),
            f"{run.size / 1e6:.1f}",
            (run.began or "–")[:16].replace("T", " "),
            run.model or "–",
        )
        for run in rows
    ]
    if not console.is_terminal:
        console.width = max(console.width, WIDE)
    drawn = table(None, COLUMNS, cells)
    if console.measure(drawn, options=console.options.update(max_width=WIDE)).maximum > console.width:
        drawn = table(None, COLUMNS[:NARROW], [row[:NARROW] for row in cells])
    console.print(drawn)
    if any(run.state == "interrupted" for run in rows):
        console.print("Resume an interrupted run with: deepfake train --resume RUN")
    return None


def _state(state: str, step: int, fault: str | None) -> str:
    at = f", step {step}" if step and state == "interrupted" else ""
    return f"{state}{at}" + (f": {fault}" if fault else "")

"""``deepfake runs``."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from deepfake_cli.cli.console import console, next_step, print_json, short, table
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
        console.print(f"No runs in {short(runs_dir)}.")
        return next_step("train")
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
    stopped = next((run.name for run in rows if run.state == "interrupted"), None)
    own = () if runs_dir == RUNS else ("--runs-dir", runs_dir)
    if stopped:
        return next_step("train", "--resume", stopped, *own)
    return next_step("evaluate", "TEST.csv", runs_dir / rows[0].name)


def _state(state: str, step: int, fault: str | None) -> str:
    at = f", step {step}" if step and state == "interrupted" else ""
    return f"{state}{at}" + (f": {fault}" if fault else "")

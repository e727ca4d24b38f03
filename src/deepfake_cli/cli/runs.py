"""``deepfake runs``."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from deepfake_cli.cli.console import console, print_json, table
from deepfake_cli.config import RUNS

COLUMNS = ("run", "epochs", "best", "frame AUC", "video AUC", "state", "MB", "began", "model")
FIRST = 6  # columns of the table that a narrow terminal has room for
WIDE = 160  # characters, for a pipe or file, whose lines need not be folded


def runs(
    runs_dir: Annotated[Path, typer.Option(help="Where the runs are.")] = RUNS,
    json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the runs of train, the newest first: how far each is, what it reached on validation, its size on disk."""
    from deepfake_cli.runs.listing import runs as run

    rows = run(runs_dir)
    if json:
        return print_json([asdict(each) for each in rows])
    if not rows:
        return console.print(f"No runs in {runs_dir}. deepfake train makes one.", highlight=False, markup=False)
    cells = [
        (
            each.name,
            "–" if each.epochs is None else f"{each.epochs}/{each.asked}",
            each.best or "–",
            *("–" if auc is None else f"{auc:.3f}" for auc in (each.val_auc, each.val_video_auc)),
            _state(each.state, each.step, each.fault),
            f"{each.size / 1e6:.1f}",
            (each.began or "–")[:16].replace("T", " "),
            each.model or "–",
        )
        for each in rows
    ]
    if not console.is_terminal:
        console.width = max(console.width, WIDE)
    drawn = table(None, COLUMNS, cells)
    if console.measure(drawn, options=console.options.update(max_width=WIDE)).maximum > console.width:
        drawn = table(None, COLUMNS[:FIRST], [each[:FIRST] for each in cells])
    console.print(drawn)
    if any(each.state == "interrupted" for each in rows):
        console.print("An interrupted run goes on with: deepfake train --resume RUN", highlight=False)
    return None


def _state(state: str, step: int, fault: str | None) -> str:
    at = f", step {step}" if step and state == "interrupted" else ""
    return f"{state}{at}" + (f": {fault}" if fault else "")

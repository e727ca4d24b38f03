"""``deepfake matrix``."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from deepfake_cli.cli.console import console, error_console, next_step, print_json, progress, table, warn, wrote
from deepfake_cli.cli.train import TrainProgress
from deepfake_cli.config import Matrix, Train
from deepfake_cli.metrics.few import no_interval

MARKS = {"train": "†", "validation": "‡", None: ""}


def matrix(
    settings: Matrix, json: Annotated[bool, typer.Option("--json", help="Print the matrix as JSON")] = False
) -> None:
    """Train on each list, test on each other: a cross-dataset matrix.

    Finished runs are kept: repeat the command to continue after an interruption.
    """
    from deepfake_cli.commands.matrix import matrix as run

    with progress("") as bar:
        task = bar.add_task("test", total=None, note="")

        def follow(training: Train) -> Callable[[Any], None]:
            return QuietProgress(bar, quiet=json)

        result = run(
            settings, lambda what, done, total: bar.update(task, description=what, completed=done, total=total), follow
        )
    if json:
        print_json(result.matrix)
    else:
        _print(result.matrix)
        for note in result.matrix["notes"]:
            warn(f"Note: {note}")
        wrote(*result.files)
    for name, reason in result.faults:
        error_console.print(f"{name}: {reason}", style="red")
    if not json:
        next_step("report", settings.output / "cells" / "CELL")


class QuietProgress(TrainProgress):
    """Training progress as for train; with --json, only in the log of the run."""

    def __init__(self, bar: Any, *, quiet: bool):
        super().__init__(bar)
        self.quiet = quiet

    def line(self, text: str) -> None:
        """Log a line; print it unless quiet."""
        if self.quiet:
            self.log(text)
        else:
            super().line(text)


def _print(matrix: dict[str, Any]) -> None:
    from deepfake_cli.reporting.figures.matrix import beneath

    rows_are = "training list" if matrix["seeds"] else "detector"
    for level in ("frame", "video"):
        cells = {(cell["row"], cell["column"]): cell for cell in matrix["cells"]}
        rows = [
            (row, *(_text(cells[row, column], level, beneath) for column in matrix["columns"]))
            for row in matrix["rows"]
        ]
        console.print(table(f"AUC per {level}: row = {rows_are}, column = test list", ["", *matrix["columns"]], rows))
    several = matrix["seeds"] and matrix["seeds"] > 1
    if several:
        console.print(f"± standard deviation over {matrix['seeds']} seeds.")
    elif any(cell["frame"] and cell["frame"]["auc"]["low"] is not None for cell in matrix["cells"]):
        console.print("In brackets: 95 % intervals.")
    units = {cell["column"]: (cell["units"], cell["unit"]) for cell in matrix["cells"] if cell["units"]}
    for column, why in {column: no_interval(*of) for column, of in units.items()}.items():
        if why and not several:
            console.print(f"{column}: {why}")
    seen = {cell["seen"] for cell in matrix["cells"]}
    if "train" in seen:
        console.print("† trained on groups of the test list: too optimistic.")
    if "validation" in seen:
        console.print("‡ checkpoint chosen on groups of the test list: slightly optimistic.")


def _text(cell: dict[str, Any], level: str, beneath: Callable[[dict[str, Any]], str]) -> str:
    if cell[level] is None:
        return "–"
    figure, mark = cell[level]["auc"], MARKS[cell["seen"]]
    more = beneath(figure)
    shown = more if more.startswith("±") else f"({more})" if more else ""
    return f"{figure['value']:.3f}{mark} {shown}".strip()

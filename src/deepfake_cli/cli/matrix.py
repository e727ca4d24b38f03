"""``deepfake matrix``."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from deepfake_cli.cli.console import console, error_console, print_json, progress, table
from deepfake_cli.cli.train import Follower
from deepfake_cli.config import Matrix, Train

MARKS = {"train": "†", "validation": "‡", None: ""}


def matrix(
    settings: Matrix, json: Annotated[bool, typer.Option("--json", help="Print the matrix as JSON.")] = False
) -> None:
    """Train on each list, test on each other: the AUC of every pair, as a table and a heat map.

    Runs that are finished are not trained again: the same command goes on where it was stopped.
    """
    from deepfake_cli.commands.matrix import matrix as run

    with progress("") as bar:
        task = bar.add_task("test", total=None, note="")

        def follow(training: Train) -> Callable[[Any], None]:
            return Told(bar, quiet=json)

        result = run(
            settings, lambda what, done, total: bar.update(task, description=what, completed=done, total=total), follow
        )
    if json:
        print_json(result.found)
    else:
        _print(result.found)
        console.print(f"Wrote {', '.join(map(str, result.files))}", highlight=False, markup=False)
    for name, reason in result.faults:
        error_console.print(f"{name}: {reason}", style="red", markup=False, highlight=False)


class Told(Follower):
    """Tells of each training as train does; with --json on no output but the run's log."""

    def __init__(self, bar: Any, *, quiet: bool):
        super().__init__(bar)
        self.quiet = quiet

    def line(self, text: str) -> None:
        """Log a line, and print it unless quiet."""
        if self.quiet:
            self.log(text)
        else:
            super().line(text)


def _print(found: dict[str, Any]) -> None:
    from deepfake_cli.reporting.figures.matrix import beneath

    what = "a row trained on" if found["seeds"] else "a row a detector"
    for level in ("frame", "video"):
        cells = {(cell["row"], cell["column"]): cell for cell in found["cells"]}
        rows = [
            (row, *(_text(cells[row, column], level, beneath) for column in found["columns"])) for row in found["rows"]
        ]
        console.print(table(f"AUC of {level}s: {what}, a column tested on", ["", *found["columns"]], rows))
    several = found["seeds"] and found["seeds"] > 1
    about = f"± standard deviation of {found['seeds']} seeds" if several else "in brackets 95 % intervals"
    console.print(f"{about}.", highlight=False)
    seen = {cell["seen"] for cell in found["cells"]}
    if "train" in seen:
        console.print("† groups of the test were trained on: the figure is too good.", highlight=False)
    if "validation" in seen:
        console.print(
            "‡ the checkpoint was chosen on groups of the test: the figure is somewhat too good.", highlight=False
        )


def _text(cell: dict[str, Any], level: str, beneath: Callable[[dict[str, Any]], str]) -> str:
    if cell[level] is None:
        return "–"
    figure, mark = cell[level]["auc"], MARKS[cell["seen"]]
    more = beneath(figure)
    shown = more if more.startswith("±") else f"({more})" if more else ""
    return f"{figure['value']:.3f}{mark} {shown}".strip()

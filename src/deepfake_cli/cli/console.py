"""Consoles: results on stdout, progress and errors on stderr."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from deepfake_cli.storage.remote import spelled


class Screen(Console):
    """A console that prints remote paths as URLs (``s3://``), not as pathlib spells them."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print, as `rich.console.Console.print`."""
        super().print(*(spelled(item) if isinstance(item, str) else item for item in objects), **options)


console = Screen(soft_wrap=not sys.stdout.isatty())
error_console = Screen(stderr=True, soft_wrap=not sys.stderr.isatty())


def progress(unit: str) -> Progress:
    """A progress bar on stderr; hidden unless stderr is a terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=error_console,
        disable=not error_console.is_terminal,
        transient=True,
    )


def table(title: str | None, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A table with numeric columns aligned right."""
    cells = [[str(cell) for cell in row] for row in rows]
    drawn = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for index, name in enumerate(columns):
        numeric = all(row[index][:1].isdigit() or row[index][:1] in "-–" for row in cells)
        drawn.add_column(name, justify="right" if numeric and cells else "left", overflow="fold")
    for row in cells:
        drawn.add_row(*row)
    return drawn


def print_json(value: Any) -> None:
    """Print `value` as JSON on stdout."""
    sys.stdout.write(spelled(json.dumps(value, indent=2, default=str)) + "\n")


def warn(message: str) -> None:
    """Print a warning on stderr."""
    error_console.print(message, style="yellow", markup=False, highlight=False)

"""Consoles: results on stdout, progress and errors on stderr.

All text goes through `visible`: names of files, groups and recipes come from outside and may hold escape sequences. None of it
is read as markup.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from deepfake_cli.storage.escapes import visible
from deepfake_cli.storage.remote import spelled


class Screen(Console):
    """A console without markup that prints hidden characters as escapes, and remote paths as URLs (``s3://``)."""

    def __init__(self, **options: Any):
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print, as `rich.console.Console.print`."""
        super().print(*(visible(spelled(item)) if isinstance(item, str) else item for item in objects), **options)


console = Screen(soft_wrap=not sys.stdout.isatty())
error_console = Screen(stderr=True, soft_wrap=not sys.stderr.isatty())


class VisibleColumn(TextColumn):
    """A text of a progress bar."""

    def render(self, task: Task) -> Text:
        """The text, with hidden characters as escapes."""
        return Text(visible(self.text_format.format(task=task)))


def progress(unit: str) -> Progress:
    """A progress bar on stderr; hidden unless stderr is a terminal."""
    return Progress(
        VisibleColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        VisibleColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=error_console,
        disable=not error_console.is_terminal,
        transient=True,
    )


def table(title: str | None, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A table with numeric columns aligned right."""
    cells = [[visible(spelled(str(cell))) for cell in row] for row in rows]
    drawn = Table(title=title and Text(visible(title)), title_justify="left", box=SIMPLE_HEAD)
    for index, name in enumerate(columns):
        numeric = all(row[index][:1].isdigit() or row[index][:1] in "-–" for row in cells)
        drawn.add_column(Text(visible(name)), justify="right" if numeric and cells else "left", overflow="fold")
    for row in cells:
        drawn.add_row(*map(Text, row))
    return drawn


def plots_line(paths: Sequence[Path]) -> str:
    """What to say of the plots of ``--figures``: their folder, their names and their formats, each once."""
    names, kinds = dict.fromkeys(path.stem for path in paths), dict.fromkeys(path.suffix[1:] for path in paths)
    return f"Wrote {len(paths)} plots to {paths[0].parent}: {', '.join(names)} as {', '.join(kinds)}"


def print_json(value: Any) -> None:
    """Print `value` as JSON on stdout."""
    sys.stdout.write(spelled(json.dumps(value, indent=2, default=str)) + "\n")


def warn(message: str) -> None:
    """Print a warning on stderr."""
    error_console.print(message, style="yellow")

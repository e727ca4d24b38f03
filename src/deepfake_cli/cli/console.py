"""Consoles: results on stdout, progress and errors on stderr.

All text goes through `visible`: names of files, groups and recipes come from outside and may hold escape sequences. None of it
is read as markup.
"""

import json
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.panel import Panel
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

from deepfake_cli.native_output import screen
from deepfake_cli.storage.escapes import visible
from deepfake_cli.storage.urls import is_remote, spelled


class Screen(Console):
    """A console without markup that prints hidden characters as escapes, and remote paths as URLs (``s3://``)."""

    def __init__(self, **options: Any):
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def _stream(self) -> IO[str]:
        """The stream to write to; that of stderr also while native libraries are kept from it."""
        return (screen() if self.stderr else None) or Console.file.fget(self)  # type: ignore[attr-defined]

    file = property(_stream, Console.file.fset)  # type: ignore[attr-defined]

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


def short(path: Path | str) -> str:
    """A path as people read it: relative to the current folder if it is in there."""
    path = Path(path)
    if is_remote(path) or not path.is_absolute() or not path.is_relative_to(Path.cwd()):
        return str(path)
    return str(path.relative_to(Path.cwd()))


def wrote(*files: Path) -> None:
    """Print which files were written; those of one folder after its name."""
    folders = {file.parent for file in files}
    if len(files) > 1 and len(folders) == 1 and str(files[0].parent) != ".":
        console.print(f"Wrote {short(files[0].parent)}/: {', '.join(file.name for file in files)}")
    else:
        console.print(f"Wrote {', '.join(map(short, files))}")


def following(*words: str | Path) -> str:
    """The line that names the command to run next."""
    return f"Next: {shlex.join(['deepfake', *map(short, words)])}"


def next_step(*words: str | Path) -> None:
    """Print the command to run next, the last line of each command."""
    console.print(following(*words), style="bold")


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


def table(
    title: str | None, columns: Sequence[str], rows: Iterable[Sequence[Any]], styles: Mapping[str, str] | None = None
) -> Table:
    """A table with numeric columns aligned right; `styles` are those of cells with these texts."""
    cells = [[visible(spelled(str(cell))) for cell in row] for row in rows]
    drawn = Table(title=title and Text(visible(title)), title_justify="left", box=SIMPLE_HEAD)
    for index, name in enumerate(columns):
        numeric = all(row[index][:1].isdigit() or row[index][:1] in "-–" for row in cells)
        drawn.add_column(Text(visible(name)), justify="right" if numeric and cells else "left", overflow="fold")
    for row in cells:
        drawn.add_row(*(Text(cell, (styles or {}).get(cell, "")) for cell in row))
    return drawn


def plots_line(paths: Sequence[Path]) -> str:
    """Where the plots of ``--figures`` are: their folder, their names and their formats, each once."""
    names, kinds = dict.fromkeys(path.stem for path in paths), dict.fromkeys(path.suffix[1:] for path in paths)
    return f"Plots in {short(paths[0].parent)}/: {', '.join(names)} as {', '.join(kinds)}"


def print_panel(title: str, rows: Sequence[tuple[Text, Text]], width: int = 0) -> None:
    """Print names and what they are in a box; names are at least this wide, and never cut or folded."""
    if rows:
        drawn = Table.grid(padding=(0, 2, 0, 0), expand=True)
        drawn.add_column(no_wrap=True, min_width=width)
        drawn.add_column(ratio=1)
        for row in rows:
            drawn.add_row(*row)
        console.print(Panel(drawn, title=title, title_align="left", border_style="dim"), soft_wrap=False)


def print_json(value: Any) -> None:
    """Print `value` as JSON on stdout."""
    sys.stdout.write(spelled(json.dumps(value, indent=2, default=str)) + "\n")


def warn(message: str) -> None:
    """Print a warning on stderr."""
    error_console.print(message, style="yellow")

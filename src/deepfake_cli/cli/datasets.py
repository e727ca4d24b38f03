"""``deepfake datasets``: the supported data sets and their cards; ``verify`` is in a module of its own."""

import sys
from typing import Annotated, Any

import typer

from deepfake_cli.cli.console import console, next_step, print_json, table
from deepfake_cli.cli.help import Command, Group


class Cards(Group):
    """``datasets NAME`` is ``datasets info NAME``."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first word names, or ``info`` of what it names."""
        return super().resolve_command(ctx, args if args[0] in self.commands else ["info", *args])


datasets = typer.Typer(cls=Cards, help="List the supported data sets; show the card of one; check the files of one.")

REALS = {"apart": "separate", "inside": "included"}  # JSON value: cell of the table
LEGEND = """\
reals: with "separate", give their folder to split as --realdir.
split: whether there is a published split, for make-csv --protocol official.
Show a card with layout, licence and download: deepfake datasets info NAME
Check a download: deepfake datasets verify NAME FOLDER"""


def names() -> list[str]:
    """Names of the data sets, for shell completion."""
    from deepfake_cli.datasets import ADAPTERS

    return list(ADAPTERS)


@datasets.callback(invoke_without_command=True)
def show(
    context: typer.Context, json: Annotated[bool, typer.Option("--json", help="Print the table as JSON")] = False
) -> None:
    """List the supported data sets; ``info NAME`` shows the card of one, ``verify NAME FOLDER`` checks its files."""
    from deepfake_cli.datasets import ADAPTERS
    from deepfake_cli.datasets.card import brief, title

    if context.invoked_subcommand:
        return None
    keys = ("name", "data set", "reals", "groups by", "split", "labels")
    rows = [
        (
            name,
            title(adapter.card),
            "apart" if adapter.reals else "inside",
            adapter.by,
            adapter.official,
            brief(adapter.card, "Labels"),
        )
        for name, adapter in ADAPTERS.items()
    ]
    if json:
        return print_json([dict(zip(keys, row, strict=True)) for row in rows])
    cells = [(*row[:2], REALS[row[2]], ", ".join(row[3]), "yes" if row[4] else "–") for row in rows]
    drawn = table(None, keys[:5], cells)  # how labels are told is on the card
    for column in (0, 1, 2, 4):
        drawn.columns[column].no_wrap = True
    console.print(drawn)
    console.print(LEGEND)
    return next_step("split", "NAME", "FOLDER")


@datasets.command(cls=Command)
def info(
    name: Annotated[str, typer.Argument(help="Data set, or your own as module:function", autocompletion=names)],
) -> None:
    """Show the card of a data set: layout, labels, groups, licence, how to obtain it, citation."""
    from rich.text import Text

    from deepfake_cli.datasets import find_adapter
    from deepfake_cli.datasets.card import paragraphs

    adapter = find_adapter(name)
    for number, (heading, text) in enumerate(paragraphs(adapter.card)):
        console.print(Text.assemble((f"{heading}: " if heading else "", "bold"), (text, "" if number else "bold")))
        console.print()
    split = f"Published split: {adapter.official}." if adapter.official else "No published split."
    console.print(f"make-csv --by: {', '.join(adapter.by)}. {split}")
    next_step("split", name, "FOLDER")


@datasets.command(cls=Command)
def docs() -> None:
    """Print the table and all cards as Markdown, as in docs/datasets.md."""
    from deepfake_cli.datasets.docs import documentation

    sys.stdout.write(documentation())

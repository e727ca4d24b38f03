"""``deepfake datasets``: which data sets are read, and the card of each."""

import sys
from typing import Annotated

import typer

from deepfake_cli.cli.console import console, print_json, table

datasets = typer.Typer(help="List the data sets whose layout is known; print the card of one.")

LEGEND = """\
reals apart: give their folder to split as --realdir.
split: a published one, for make-csv --protocol official.
deepfake datasets info NAME prints a card: layout, licence, how to obtain it."""


def names() -> list[str]:
    """The data sets' names, for the shell's completion."""
    from deepfake_cli.datasets import ADAPTERS

    return list(ADAPTERS)


@datasets.callback(invoke_without_command=True)
def show(
    context: typer.Context, json: Annotated[bool, typer.Option("--json", help="Print the table as JSON.")] = False
) -> None:
    """List the data sets whose layout is known; ``info NAME`` prints the card of one."""
    from deepfake_cli.datasets import ADAPTERS
    from deepfake_cli.datasets.card import brief, title

    if context.invoked_subcommand:
        return None
    keys = ("name", "data set", "reals", "groups by", "split", "labels")
    rows = [
        (
            name,
            title(each.card),
            "apart" if each.reals else "inside",
            each.by,
            each.official,
            brief(each.card, "Labels"),
        )
        for name, each in ADAPTERS.items()
    ]
    if json:
        return print_json([dict(zip(keys, row, strict=True)) for row in rows])
    cells = [(*row[:3], ", ".join(row[3]), "yes" if row[4] else "–", row[5].split(";")[0]) for row in rows]
    drawn = table(None, keys, cells)
    for column in (0, 1, 2, 4):
        drawn.columns[column].no_wrap = True
    console.print(drawn)
    return console.print(LEGEND, markup=False, highlight=False)


@datasets.command()
def info(
    name: Annotated[str, typer.Argument(help="A data set, or your own as module:function.", autocompletion=names)],
) -> None:
    """Print a data set's card: layout, labels, groups, licence, how to obtain it, citation."""
    from rich.text import Text

    from deepfake_cli.datasets import find_adapter
    from deepfake_cli.datasets.card import paragraphs

    adapter = find_adapter(name)
    for number, (heading, text) in enumerate(paragraphs(adapter.card)):
        console.print(Text.assemble((f"{heading}: " if heading else "", "bold"), (text, "" if number else "bold")))
        console.print()
    split = f"Published split: {adapter.official}." if adapter.official else "No published split."
    console.print(f"make-csv --by: {', '.join(adapter.by)}. {split}", markup=False, highlight=False)


@datasets.command()
def docs() -> None:
    """Print the table and every card as Markdown, as in docs/datasets.md."""
    from deepfake_cli.datasets.docs import documentation

    sys.stdout.write(documentation())

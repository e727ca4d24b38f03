"""``deepfake audit``."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from deepfake_cli.audit import words
from deepfake_cli.cli.console import console, error_console, next_step, print_json, progress, table, warn, wrote
from deepfake_cli.config import Audit

MOST_LISTED = 10  # unreadable images
MOST_VALUES = 6  # rows per property


def audit(
    settings: Audit, json: Annotated[bool, typer.Option("--json", help="Print the result as JSON")] = False
) -> None:
    """Find shortcuts in the data: codec, size, blur.

    Compares sizes, codecs, compression and blur of reals and fakes, and trains a classifier on these properties alone.
    """
    from deepfake_cli.commands.audit import audit as run

    with progress("images") as bar:
        task = bar.add_task("audit", total=None, note="")
        result = run(settings, lambda done, total: bar.update(task, completed=done, total=total))
    if json:
        return print_json(result.audit)
    _print_counts(result.audit["counts"])
    _print_measures(result.audit)
    for warning in result.audit["warnings"]:
        error_console.print(f"Warning: {warning}", style="bold yellow")
    for note in result.audit["notes"]:
        warn(f"Note: {note}")
    for bad in result.audit["sample"]["unreadable"][:MOST_LISTED]:
        error_console.print(f"{bad['path']}: {bad['reason']}", style="red")
    wrote(*result.files)
    return next_step("train")


def _print_counts(counts: dict[str, Any]) -> None:
    columns = ("part", "class", "images", "videos", "groups")
    rows = [[cell if isinstance(cell, str) else f"{cell:,}" for cell in row.values()] for row in counts["parts"]]
    console.print(table(None, columns, rows))
    kinds = {"both": "with both classes", "real_only": "with reals only", "fake_only": "with fakes only"}
    groups = [f"{counts['groups'][kind]:,} {text}" for kind, text in kinds.items() if counts["groups"][kind]]
    console.print(f"Groups: {', '.join(groups)}.\n")


def _print_measures(result: dict[str, Any]) -> None:
    from deepfake_cli.audit.verdict import NAMES

    measured = result["properties"] | result["sources"]["properties"]
    differing = [about for about in measured.values() if not about["same"]]
    numbers = [_numbers(about) for about in differing if "median" in about["real"]]
    categories = [row for about in differing if "values" in about["real"] for row in _categories(about)]
    if numbers:
        title = f"{result['sample']['images']:,} images: median (5–95 %); ↑ higher in fakes, ↓ lower"
        console.print(table(title, ["", "real", "fake", "AUC alone"], numbers))
    if categories:
        console.print(table("Counts", ["", "", "real", "fake", "AUC alone"], categories))
    same = [f"{about['title']} {words.single(about)}" for about in measured.values() if about["same"]]
    if same:
        console.print(f"The same in both classes: {', '.join(same)}.\n")
    known = any(about["low"] is not None for about in result["baselines"].values())
    rows = [
        (
            NAMES[name],
            _auc(about),
            f"{about['rows']:,} {of}, {about['units']:,} {about['unit']}s" if about["rows"] else "",
        )
        for (name, about), of in zip(result["baselines"].items(), ("images", "videos"), strict=True)
    ]
    console.print(
        table(
            "Classifiers on these properties alone, without the face",
            ["properties of", "AUC (95 %)" if known else "AUC", "tested on"],
            rows,
        )
    )


def _numbers(about: Mapping[str, Any]) -> tuple[str, ...]:
    arrow = {"higher": " ↑", "lower": " ↓", None: ""}[about["alone"]["fakes"] if about["alone"] else None]
    return words.name(about), words.spread(about["real"]), words.spread(about["fake"]), _auc(about["alone"]) + arrow


def _categories(about: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A row per value of a property, the most frequent first."""
    real, fake = about["real"]["values"], about["fake"]["values"]
    values = sorted(real | fake, key=lambda value: -real.get(value, 0) - fake.get(value, 0))[:MOST_VALUES]
    counts = [(value, f"{real.get(value, 0):,}", f"{fake.get(value, 0):,}") for value in values]
    return [(words.name(about), *counts[0], _auc(about["alone"])), *(("", *row, "") for row in counts[1:])]


def _auc(about: Mapping[str, Any] | None) -> str:
    if not about or about["auc"] is None:
        return "–"
    interval = "" if about["low"] is None else f" ({about['low']:.2f}–{about['high']:.2f})"
    return f"{about['auc']:.2f}{interval}"

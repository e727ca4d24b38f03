"""``deepfake audit``."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from deepfake_cli.cli.console import console, error_console, print_json, progress, table, warn
from deepfake_cli.config import Audit

MOST_LISTED = 10  # unreadable images
MOST_WORDS = 6  # rows of one property


def audit(
    settings: Audit, json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False
) -> None:
    """Look for what tells reals from fakes without a look at the face.

    Counts, sizes, codecs, compression and blur of each class, and what a classifier of these alone scores.
    """
    from deepfake_cli.commands.audit import audit as run

    with progress("images") as bar:
        task = bar.add_task("audit", total=None, note="")
        result = run(settings, lambda done, total: bar.update(task, completed=done, total=total))
    if json:
        return print_json(result.found)
    _print_counts(result.found["counts"])
    _print_measures(result.found)
    for warning in result.found["warnings"]:
        error_console.print(f"Warning: {warning}", style="bold yellow", markup=False, highlight=False)
    for note in result.found["notes"]:
        warn(f"Note: {note}")
    for bad in result.found["sample"]["unreadable"][:MOST_LISTED]:
        error_console.print(f"{bad['path']}: {bad['reason']}", style="red", markup=False, highlight=False)
    return console.print(f"Wrote {', '.join(map(str, result.files))}", highlight=False)


def _print_counts(counts: dict[str, Any]) -> None:
    columns = ("part", "class", "images", "videos", "groups")
    rows = [[cell if isinstance(cell, str) else f"{cell:,}" for cell in row.values()] for row in counts["parts"]]
    console.print(table(None, columns, rows))
    kinds = {"both": "with both classes", "real_only": "with reals only", "fake_only": "with fakes only"}
    groups = [f"{counts['groups'][kind]:,} {words}" for kind, words in kinds.items() if counts["groups"][kind]]
    console.print(f"Groups: {', '.join(groups)}.\n", highlight=False)


def _print_measures(found: dict[str, Any]) -> None:
    from deepfake_cli.audit.verdict import NAMES

    measured = found["properties"] | found["sources"]["properties"]
    differing = [about for about in measured.values() if not about["same"]]
    numbers = [_numbers(about) for about in differing if "median" in about["real"]]
    words = [row for about in differing if "values" in about["real"] for row in _words(about)]
    if numbers:
        title = f"{found['sample']['images']:,} images measured: median (5–95 %); ↑ more in fakes, ↓ less"
        console.print(table(title, ["", "real", "fake", "AUC alone"], numbers))
    if words:
        console.print(table("How often", ["", "", "real", "fake", "AUC alone"], words))
    same = [f"{about['title']} {_value(about)}" for about in measured.values() if about["same"]]
    if same:
        console.print(f"The same wherever known: {', '.join(same)}.\n", highlight=False)
    rows = [
        (
            NAMES[name],
            _auc(about),
            f"{about['rows']:,} {of}, {about['units']:,} {about['unit']}s" if about["rows"] else "",
        )
        for (name, about), of in zip(found["baselines"].items(), ("images", "videos"), strict=True)
    ]
    console.print(table("All together, without a look at the face", ["classifier of", "AUC (95 %)", "tested on"], rows))


def _numbers(about: Mapping[str, Any]) -> tuple[str, ...]:
    arrow = {"higher": " ↑", "lower": " ↓", None: ""}[about["alone"]["fakes"] if about["alone"] else None]
    return _title(about), _range(about["real"]), _range(about["fake"]), _auc(about["alone"]) + arrow


def _words(about: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A row for each word of a property, the most frequent first."""
    real, fake = about["real"]["values"], about["fake"]["values"]
    words = sorted(real | fake, key=lambda word: -real.get(word, 0) - fake.get(word, 0))[:MOST_WORDS]
    counts = [(word, f"{real.get(word, 0):,}", f"{fake.get(word, 0):,}") for word in words]
    return [(_title(about), *counts[0], _auc(about["alone"])), *(("", *row, "") for row in counts[1:])]


def _title(about: Mapping[str, Any]) -> str:
    return f"{about['title']}, {about['unit']}" if about["unit"] else str(about["title"])


def _value(about: Mapping[str, Any]) -> str:
    """The only value that a property has."""
    known = about["real"] if about["real"]["known"] else about["fake"]
    value = next(iter(known["values"])) if "values" in known else _short(known["median"])
    return f"{value} {about['unit']}".strip()


def _range(figures: Mapping[str, Any]) -> str:
    if not figures["known"]:
        return "–"
    middle, low, high = (_short(figures[name]) for name in ("median", "low", "high"))
    return middle if low == high else f"{middle} ({low}–{high})"


def _auc(about: Mapping[str, Any] | None) -> str:
    if not about or about["auc"] is None:
        return "–"
    interval = "" if about["low"] is None else f" ({about['low']:.2f}–{about['high']:.2f})"
    return f"{about['auc']:.2f}{interval}"


def _short(value: float) -> str:
    """Two digits at least, and no exponent."""
    return f"{value:.0f}" if abs(value) >= 10 or value == round(value) else f"{value:.2f}"

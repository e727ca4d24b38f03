"""``deepfake models``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepfake_cli.cli.console import console, print_json, table, warn

if TYPE_CHECKING:
    from deepfake_cli.commands.models import Listed

COLUMNS = ("detector", "architecture", "px", "MB", "licence", "commercial use", "trained on")


def models(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Exported detectors, or folders with such [default: the current folder]")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, with the whole cards")] = False,
) -> None:
    """List architectures, and detectors with their cards: licence, training data, size, measured error rates."""
    from deepfake_cli.commands.models import models as run

    result = run([path.expanduser() for path in paths or [Path()]])
    if json:
        lists = {"architectures": result.architectures, "families": result.families}
        faults = {str(path): reason for path, reason in result.faults.items()}
        return print_json(lists | {"detectors": [each.facts() for each in result.detectors], "faults": faults})
    console.print(table(None, COLUMNS, map(_row, result.detectors)))
    for each in result.detectors:
        if each.traits.rates:
            console.print(f"{each.name}: {each.traits.rates}")
    for path, reason in result.faults.items():
        warn(f"{path}: {reason}")
    console.print(f"Architectures, for train --model: {', '.join(result.architectures)}.")
    console.print(f"Published checkpoints, for export --from: {', '.join(result.families)}.")
    return None


def _row(detector: "Listed") -> tuple[str, ...]:
    facts = detector.facts()
    card = facts["card"] or {}
    allowed = {True: "allowed", False: "forbidden"}.get(card.get("commercial", ""), "–")
    size = f"{facts['bytes'] / 1e6:.1f}"
    about = (card.get("licence") or "–", allowed, card.get("trained_on") or "–")
    return facts["name"], facts["architecture"], str(facts["image_size"]), size, *about

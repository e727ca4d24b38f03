"""``deepfake models``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepfake_cli.cli.console import console, next_step, print_json, table, warn
from deepfake_cli.errors import ModelError

if TYPE_CHECKING:
    from deepfake_cli.commands.models import Listed, ModelsResult

COLUMNS = ("detector", "architecture", "px", "MB", "licence")


def models(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Exported detectors, or folders with such [default: the current folder]")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, with the whole cards")] = False,
) -> None:
    """List architectures, and detectors with licence and error rates."""
    from deepfake_cli.commands.models import models as run

    result = run([path.expanduser() for path in paths or [Path()]])
    if json:
        lists = {"architectures": result.architectures, "families": result.families}
        faults = {str(path): reason for path, reason in result.faults.items()}
        print_json(lists | {"detectors": [each.facts() for each in result.detectors], "faults": faults})
    else:
        _print(result)
    if result.faults and len(result.detectors) == 1:  # that of this package
        raise ModelError(f"None of {len(result.faults):,} files can be loaded as a detector.")


def _print(result: "ModelsResult") -> None:
    console.print(table(None, COLUMNS, map(_row, result.detectors)))
    for each in result.detectors:
        if about := _about(each):
            console.print(f"{each.name}: {about}")
    for reason in result.faults.values():
        warn(reason)
    console.print(f"\nArchitectures, for train --model: {', '.join(result.architectures)}.")
    console.print(f"Published checkpoints, for export --from: {', '.join(result.families)}.")
    chosen = ("--detector", result.detectors[-1].name) if len(result.detectors) > 1 else ()
    next_step("predict", "FILES", *chosen)


def _row(detector: "Listed") -> tuple[str, ...]:
    facts = detector.facts()
    licence = (facts["card"] or {}).get("licence") or "–"
    return facts["name"], facts["architecture"], str(facts["image_size"]), f"{facts['bytes'] / 1e6:.1f}", licence


def _about(detector: "Listed") -> str:
    """What it was trained on, what its licence forbids, and its measured error rates."""
    trained = (detector.facts()["card"] or {}).get("trained_on")
    words = (f"Trained on: {trained}." if trained else "", detector.traits.terms, detector.traits.rates)
    return " ".join(filter(None, words))

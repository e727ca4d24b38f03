"""``deepfake export``."""

import sys
from typing import Annotated

import typer

from deepfake_cli.cli.console import console, error_console, next_step, print_json, warn, wrote
from deepfake_cli.config import Export


def export(
    settings: Export,
    yes: Annotated[bool, typer.Option("--yes", help="Agree to the licence of a download without being asked")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON")] = False,
) -> None:
    """Export a detector to ONNX, LiteRT or SavedModel.

    Its scores are compared with those of Keras.
    """
    from deepfake_cli.commands.export import export as run

    result = run(settings, lambda terms: yes or _agreed(terms))
    if json:
        facts = {"path": str(result.path), "bytes": result.size, "difference": result.difference}
        return print_json(facts | {"threshold": result.traits.threshold, "image_size": result.traits.image_size})
    if result.traits.card:
        card = result.traits.card
        console.print(": ".join(filter(None, (card["name"], card["authors"]))))
        for line in (card["paper"], f"Trained on: {card['trained_on']}", f"Licence: {card['licence']}"):
            if line:
                console.print(line)
    if result.traits.terms:
        warn(result.traits.terms)
    console.print(f"{result.size / 1e6:.1f} MB; maximum difference to the scores of Keras: {result.difference:.1g}")
    wrote(result.path)
    if result.path.suffix == ".onnx":  # the other formats are for other programs
        next_step("predict", "FILES", "--detector", result.path)
    return None


def _agreed(terms: str) -> bool:
    """Show address and licence, and ask; without a terminal the answer is no."""
    error_console.print(f"Download {terms}")
    return sys.stdin.isatty() and typer.confirm("Download it under this licence?", err=True)

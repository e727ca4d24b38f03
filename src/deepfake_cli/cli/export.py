"""``deepfake export``."""

from typing import Annotated

import typer

from deepfake_cli.cli.console import console, print_json
from deepfake_cli.config import Export


def export(
    settings: Export, json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False
) -> None:
    """Write a detector to a file that runs without TensorFlow's Python; its scores are compared with Keras'."""
    from deepfake_cli.commands.export import export as run

    result = run(settings)
    if json:
        facts = {"path": str(result.path), "bytes": result.size, "difference": result.difference}
        return print_json(facts | {"threshold": result.traits.threshold, "image_size": result.traits.image_size})
    console.print(
        f"Wrote {result.path}, {result.size / 1e6:.1f} MB; its scores differ from Keras' by {result.difference:.1g} at most",
        highlight=False,
        markup=False,
    )
    return None

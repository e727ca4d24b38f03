"""``deepfake export``."""

from typing import Annotated

import typer

from deepfake_cli.cli.console import console, next_step, print_json, short
from deepfake_cli.config import Export


def export(
    settings: Export, json: Annotated[bool, typer.Option("--json", help="Print the result as JSON")] = False
) -> None:
    """Export a detector to ONNX, LiteRT or SavedModel.

    Its scores are compared with those of Keras.
    """
    from deepfake_cli.commands.export import export as run

    result = run(settings)
    if json:
        facts = {"path": str(result.path), "bytes": result.size, "difference": result.difference}
        return print_json(facts | {"threshold": result.traits.threshold, "image_size": result.traits.image_size})
    console.print(
        f"Wrote {short(result.path)}, {result.size / 1e6:.1f} MB; maximum difference to the scores of Keras: "
        f"{result.difference:.1g}"
    )
    if result.path.suffix == ".onnx":  # the other formats are for other programs
        next_step("predict", "FILES", "--detector", result.path)
    return None

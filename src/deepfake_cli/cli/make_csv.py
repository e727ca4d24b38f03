"""``deepfake make-csv``."""

from typing import Annotated

import typer

from deepfake_cli.cli.console import console, print_json, table, warn
from deepfake_cli.config import MakeCsv


def make_csv(
    settings: MakeCsv, json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False
) -> None:
    """Write training and validation lists that share no person and no source video."""
    from deepfake_cli.steps.make_csv import make_csv as run

    result = run(settings)
    if result.unlisted:
        some = ", ".join(result.unlisted[:5])
        warn(
            f"{len(result.unlisted)} videos have no usable frame and are in no list: {some}{' …' * (len(result.unlisted) > 5)}"
        )
    counts = result.counts.reset_index().to_numpy().tolist()
    if json:
        print_json(
            {
                "lists": {part: str(path) for part, path in result.paths.items()},
                "counts": [
                    dict(zip(("part", "class", "frames", "videos", "groups"), row, strict=True)) for row in counts
                ],
                "unlisted": result.unlisted,
            }
        )
        return
    console.print(table(None, ["part", "class", "frames", "videos", "groups"], counts))
    for path in result.paths.values():
        console.print(f"Wrote {path}", highlight=False)

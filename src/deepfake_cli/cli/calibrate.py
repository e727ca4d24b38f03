"""``deepfake calibrate``."""

from typing import Annotated, Any

import typer

from deepfake_cli.cli.console import console, print_json, progress, table, warn
from deepfake_cli.config import Calibrate
from deepfake_cli.metrics.names import CALIBRATION, FIGURES


def calibrate(
    settings: Calibrate, json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False
) -> None:
    """Make a detector's scores probabilities: fit a rising map on validation, and keep it in the run's recipe.

    evaluate applies it from then on; --no-calibration leaves it out.
    """
    from deepfake_cli.commands.calibrate import calibrate as run

    with progress("frames") as bar:
        task = bar.add_task("score", total=None, note="")
        result = run(settings, lambda done, total: bar.update(task, completed=done, total=total))
    if json:
        return print_json(result.found)
    _print_errors(result.found)
    for note in result.found["notes"]:
        warn(f"Note: {note}")
    return console.print(f"Wrote {', '.join(map(str, result.files))}", highlight=False, markup=False)


def _print_errors(found: dict[str, Any]) -> None:
    console.print(f"Snapshot: {found['snapshot']}", highlight=False, markup=False)
    how = f" {found['temperature']:.3f}" if found["method"] == "temperature" else f", {len(found['scores'])} knots"
    console.print(f"Fitted on {found['frames']:,} frames: {found['method']}{how}", highlight=False)
    whens = {"before": "before", "after": "after", "cross_validated": f"on {found['folds']} folds, unseen"}
    shown = [when for when in whens if found[when]]
    rows = [
        (f"{FIGURES[key].name} of {level}s", *(f"{found[when][level][key]:.4f}" for when in shown))
        for level in ("frame", "video")
        for key in CALIBRATION
    ]
    console.print(table(None, ["", *(whens[when] for when in shown)], rows))
    if found["threshold"]:
        carried, otherwise = found["threshold"], found["threshold"]["called_otherwise"]
        counts = " and ".join(f"{count} {name}" for name, count in otherwise.items())
        console.print(
            f"Threshold {carried['before']:.3f} becomes {carried['after']:.3f}: {counts} are called otherwise.",
            highlight=False,
        )

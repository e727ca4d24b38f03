"""``deepfake calibrate``."""

from typing import Annotated, Any

import typer

from deepfake_cli.cli.console import console, next_step, print_json, progress, table, warn, wrote
from deepfake_cli.config import Calibrate
from deepfake_cli.metrics.names import CALIBRATION, FIGURES


def calibrate(
    settings: Calibrate, json: Annotated[bool, typer.Option("--json", help="Print the result as JSON")] = False
) -> None:
    """Calibrate scores to probabilities, on validation data.

    The calibration is saved in the run's recipe. evaluate applies it, unless --no-calibration is given.
    """
    from deepfake_cli.commands.calibrate import calibrate as run

    with progress("frames") as bar:
        task = bar.add_task("score", total=None, note="")
        result = run(settings, lambda done, total: bar.update(task, completed=done, total=total))
    if json:
        return print_json(result.calibration)
    _print_errors(result.calibration)
    for note in result.calibration["notes"]:
        warn(f"Note: {note}")
    wrote(*result.files)
    return next_step("evaluate", "TEST.csv", result.calibration["snapshot"])


def _print_errors(calibration: dict[str, Any]) -> None:
    console.print(f"Snapshot: {calibration['snapshot']}")
    parameters = (
        f" {calibration['temperature']:.3f}"
        if calibration["method"] == "temperature"
        else f", {len(calibration['scores'])} knots"
    )
    console.print(f"Fitted on {calibration['frames']:,} frames: {calibration['method']}{parameters}")
    labels = {"before": "before", "after": "after", "cross_validated": f"on {calibration['folds']} held-out folds"}
    shown = [when for when in labels if calibration[when]]
    rows = [
        (f"{FIGURES[key].name} of {level}s", *(f"{calibration[when][level][key]:.4f}" for when in shown))
        for level in ("frame", "video")
        for key in CALIBRATION
    ]
    console.print(table(None, ["", *(labels[when] for when in shown)], rows))
    if calibration["threshold"]:
        threshold = calibration["threshold"]
        counts = " and ".join(f"{count} {name}" for name, count in threshold["called_otherwise"].items())
        console.print(f"Threshold {threshold['before']:.3f} becomes {threshold['after']:.3f}: {counts} change class.")

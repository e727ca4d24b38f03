"""``deepfake calibrate``."""

from typing import Annotated, Any

import typer

from deepfake_cli.cli.console import console, next_step, print_json, progress, table, warn, wrote
from deepfake_cli.config import Calibrate
from deepfake_cli.metrics.names import CALIBRATION, FIGURES


def calibrate(
    settings: Calibrate, json: Annotated[bool, typer.Option("--json", help="Print the result as JSON")] = False
) -> None:
    """Calibrate scores to probabilities, or to likelihood ratios, on validation data.

    The calibration is saved in the run's recipe. evaluate applies it, unless --no-calibration is given. Likelihood ratios
    do not change scores: predict states them.
    """
    from deepfake_cli.commands.calibrate import calibrate as run

    with progress("frames") as bar:
        task = bar.add_task("score", total=None, note="")
        result = run(settings, lambda done, total: bar.update(task, completed=done, total=total))
    if json:
        return print_json(result.calibration)
    (_print_ratios if settings.method == "lr" else _print_errors)(result.calibration)
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


def _print_ratios(found: dict[str, Any]) -> None:
    data = found["data"]
    console.print(f"Detector: {found['snapshot']}")
    console.print(
        f"Likelihood ratios ({found['model']}): {data['real']:,} real and {data['fake']:,} fake videos, {data['groups']:,} groups"
    )
    names = {"cllr": "Cllr: 0 is perfect, 1 is worth nothing", "cllr_min": "Cllr-min: the part that is not calibration"}
    cells = {key: "{value:.3f} ({low:.2f}–{high:.2f})".format(**found[key]) for key in names}
    rows = [(name, cells[key]) for key, name in names.items()]
    wrong = found["misleading"]
    rows += [
        ("reals that support fake", f"{wrong['real']:.3f}, at most {10 ** wrong['real_worst']:.2g} times"),
        ("fakes that support real", f"{wrong['fake']:.3f}, at most {10 ** -wrong['fake_worst']:.2g} times"),
    ]
    console.print(table(None, ["", f"on {found['folds']} held-out folds"], rows))
    low, high = (10**end for end in found["bounds"])
    console.print(
        f"Ratios lie from 1/{1 / low:.2g} to {high:.2g}: beyond these bounds there are too few videos (ELUB)."
    )

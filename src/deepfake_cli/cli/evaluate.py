"""``deepfake evaluate``."""

from typing import Annotated, Any

import typer

from deepfake_cli.cli.console import console, print_json, progress, table, warn
from deepfake_cli.cli.robustness import print_robustness
from deepfake_cli.config import Evaluate

NAMES = {
    "auc": "AUC",
    "average_precision": "average precision",
    "eer": "EER",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
}


def evaluate(
    settings: Evaluate, json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False
) -> None:
    """Measure a detector, a frame and a video at a time, with 95 % intervals."""
    from deepfake_cli.steps.evaluate import evaluate as run

    with progress("frames") as bar:
        task = bar.add_task("evaluate", total=None, note="")
        result = run(settings, lambda done, total: bar.update(task, completed=done, total=total))
    if json:
        return print_json(result.metrics)
    console.print(f"Snapshot: {result.metrics['snapshot']}", highlight=False, markup=False)
    print_figures(result.metrics)
    if result.metrics.get("robustness"):
        print_robustness(settings, result.metrics["robustness"])
    for note in result.notes:
        warn(f"Note: {note}")
    return console.print(f"Wrote {result.predictions} and {result.summary}", highlight=False)


def print_figures(found: dict[str, Any]) -> None:
    """Print the figures of both levels with their intervals, and the confusion counts."""
    interval = found["interval"]
    rows = [(name, *(_cell(found[level][key]) for level in ("frame", "video"))) for key, name in NAMES.items()]
    sizes = [f"{level} ({found[level]['real']:,} real, {found[level]['fake']:,} fake)" for level in ("frame", "video")]
    console.print(table(None, ["", *sizes], rows))
    confused = [
        (f"{truth} {level}s", *(found[level]["confusion"][f"{truth}_as_{call}"] for call in ("real", "fake")))
        for level in ("frame", "video")
        for truth in ("real", "fake")
    ]
    console.print(table(f"Called at threshold {found['threshold']:.3f}", ["", "real", "fake"], confused))
    unit = f"{interval['units']} {interval['unit']}{'s' * (interval['units'] != 1)}"
    note = f": {interval['note']}" if interval.get("note") else ""
    console.print(f"95 % intervals: {interval['resamples']:,} resamples of {unit}{note}.", highlight=False)


def _cell(figure: dict[str, float | None]) -> str:
    if figure["low"] is None:
        return f"{figure['value']:.3f}"
    return f"{figure['value']:.3f} ({figure['low']:.3f}–{figure['high']:.3f})"

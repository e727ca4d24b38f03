"""``deepfake evaluate``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from deepfake_cli.assets import STARTER
from deepfake_cli.cli.conditions import print_conditions
from deepfake_cli.cli.console import console, next_step, plots_line, print_json, progress, short, table, warn, wrote
from deepfake_cli.cli.robustness import print_robustness
from deepfake_cli.config import Evaluate
from deepfake_cli.metrics.few import FEWEST
from deepfake_cli.metrics.names import FIGURES

SLICED = {"auc": "AUC", "eer": "EER", "tpr_at_fpr_1": "TPR 1 %"}  # more would not fit in 80 columns
MOST_SLICES = 30  # printed rows; metrics.json has all


def evaluate(
    settings: Evaluate, json: Annotated[bool, typer.Option("--json", help="Print the metrics as JSON")] = False
) -> None:
    """Evaluate a detector on lists, with 95 % intervals.

    Metrics are per frame, video and group. Scores from a CSV can be evaluated, too: --predictions.
    """
    from deepfake_cli.commands.evaluate import evaluate as run

    with progress("files" if settings.conditions else "frames") as bar:
        task = bar.add_task("evaluate", total=None, note="")
        result = run(settings, lambda done, total: bar.update(task, completed=done, total=total))
    if json:
        return print_json(result.metrics)
    kind = "Snapshot" if result.metrics["snapshot"] else "Predictions"
    source = short(result.metrics["snapshot"] or ", ".join(result.metrics["lists"]))
    console.print(f"{kind}: {source}")
    print_metrics(result.metrics)
    if result.metrics.get("robustness"):
        print_robustness(result.metrics["robustness"], settings.robustness_frames)
    if result.metrics.get("conditions"):
        print_conditions(result.metrics["conditions"])
    for note in result.notes:
        warn(f"Note: {note}")
    wrote(*([result.page] if result.page else []), result.summary, result.predictions, *result.more)
    if result.figures:
        console.print(plots_line(result.figures))
    return _name_next(result.folder, result.metrics["snapshot"])


def _name_next(folder: Path, snapshot: str | None) -> None:
    """Print the command that uses the detector, or compares the scores of no known one."""
    if snapshot is None:
        return next_step("compare", folder, "OTHER.csv")
    path = Path(snapshot)
    if path == STARTER:
        return next_step("predict", "FILES")
    exported = path.suffix == ".onnx" or path.with_suffix(".onnx").is_file()
    return (
        next_step("predict", "FILES", "--detector", path.with_suffix(".onnx"))
        if exported
        else next_step("export", path)
    )


def print_metrics(metrics: dict[str, Any]) -> None:
    """Print the metrics of all levels with intervals, confusion counts, slices, and videos without a score."""
    levels = [level for level in ("frame", "video", "group") if metrics.get(level)]
    rows = [(name, *(_cell(metrics[level][key]) for level in levels)) for key, (name, _) in FIGURES.items()]
    sizes = [f"{level}\n{metrics[level]['real']:,} real\n{metrics[level]['fake']:,} fake" for level in levels]
    console.print(table(None, ["", *sizes], rows))
    confused = [
        (f"{truth} {level}s", *(metrics[level]["confusion"][f"{truth}_as_{call}"] for call in ("real", "fake")))
        for level in levels
        for truth in ("real", "fake")
    ]
    console.print(table(f"Predicted class at threshold {metrics['threshold']:.3f}", ["", "real", "fake"], confused))
    _print_slices(metrics)
    _print_interval(metrics["interval"], metrics["pool"])
    _print_errors(metrics["errors"], metrics["missing"])


def _print_slices(metrics: dict[str, Any]) -> None:
    parts = [part for part in metrics["slices"] if part["video"] and part["by"] != "group"]
    groups = sum(part["by"] == "group" for part in metrics["slices"])
    if groups:
        console.print(f"Metrics of each of the {groups} groups: metrics.json.")
    if not parts:
        return
    rows = [
        (part["by"], part["value"], *(part["video"][label] for label in ("real", "fake")), *_short(part["video"]))
        for part in parts[:MOST_SLICES]
    ]
    console.print(table("Slices, per video", ["by", "", "real", "fake", *SLICED.values()], rows))
    if len(parts) > MOST_SLICES:
        console.print(f"… and {len(parts) - MOST_SLICES} more slices in metrics.json")


def _short(level: dict[str, Any]) -> list[str]:
    """The metrics of a slice; only the AUC has its interval."""
    return [_cell(level["auc"]), *(_cell(level[key] | {"low": None}) for key in list(SLICED)[1:])]


def _print_interval(interval: dict[str, Any], pool: str) -> None:
    unit = f"{interval['units']:,} {interval['unit']}{'s' * (interval['units'] != 1)}"
    kind = "BCa" if interval["method"] == "bca" else interval["method"]
    if interval["units"] >= FEWEST:  # else a note says why there is none
        console.print(f"95 % intervals ({kind}): {interval['resamples']:,} resamples of {unit}.")
    console.print(f"Video score: {pool} of its frame scores.")


def _print_errors(errors: dict[str, Any], missing: str) -> None:
    if not errors["videos"]:
        return
    treatment = {"fail": "counted as errors", "half": "scored 0.5", "skip": "skipped"}[missing]
    warn(f"Videos without a score: {errors['videos']:,}, {treatment} (--missing):")
    for row in errors["listed"]:
        name = "/".join(filter(None, (row["dataset"], row["video"])))
        warn(f"  {name} ({row['label']}): {row['reason'] or 'no reason given'}")
    if errors["videos"] > len(errors["listed"]):
        warn(f"  … and {errors['videos'] - len(errors['listed']):,} more")


def _cell(figure: dict[str, Any]) -> str:
    if figure["value"] is None:
        return "–"
    if figure["low"] is None:
        return f"{figure['value']:.3f}"
    low, high = (f"{figure[end]:.3f}".removeprefix("0").replace("1.000", "1.00") for end in ("low", "high"))
    return f"{figure['value']:.3f} ({low}–{high})"  # short enough for three levels in 80 columns

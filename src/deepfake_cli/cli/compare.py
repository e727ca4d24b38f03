"""``deepfake compare``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from deepfake_cli.cli.console import console, next_step, plots_line, print_json, table, warn, wrote
from deepfake_cli.config import Compare
from deepfake_cli.metrics.few import FEWEST
from deepfake_cli.metrics.names import FIGURES


def compare(
    settings: Compare, json: Annotated[bool, typer.Option("--json", help="Print the result as JSON")] = False
) -> None:
    """Compare two detectors on the same frames, with paired intervals."""
    from deepfake_cli.commands.compare import compare as run

    result = run(settings)
    if json:
        return print_json(result.comparison)
    print_comparison(result.comparison)
    for note in result.comparison["notes"]:
        warn(f"Note: {note}")
    if result.page:
        if result.figures:
            console.print(plots_line(result.figures))
        wrote(result.page, result.page.with_suffix(".json"))
        return next_step("report", Path(result.comparison["a"]).parent)
    return next_step("compare", settings.a, settings.b, "--output", "compare")


def print_comparison(comparison: dict[str, Any]) -> None:
    """Print the differences at frame and video level, the kind of interval, and the largest disagreements."""
    console.print(f"A: {comparison['a']}\nB: {comparison['b']}")
    coverage = comparison["coverage"]
    console.print(
        f"{coverage['both']:,} rows in both, {coverage['only_a']:,} in A only, {coverage['only_b']:,} in B only."
    )
    for level in ("frame", "video"):
        figures = comparison[level]
        rows = [(name, *_cells(figures[key])) for key, (name, _) in FIGURES.items()]
        title = f"{level}s: {figures['real']:,} real, {figures['fake']:,} fake"
        console.print(table(title, ["", "A", "B", "A - B", "95 % interval", ""], rows))
        _print_test(figures["auc"]["delong"], level)
    interval = comparison["interval"]
    if interval["units"] >= FEWEST:  # else a note says why there is none
        console.print(
            f"* the interval excludes 0. {interval['resamples']:,} resamples of {interval['units']:,} {interval['unit']}s, the "
            f"same for both ({interval['method']}).",
        )
    _print_disagree(comparison["disagree"])


def _cells(figure: dict[str, Any]) -> tuple[str, ...]:
    if figure["a"] is None:
        return ("–",) * 4 + ("",)
    plain = f"{figure['a']:.3f}", f"{figure['b']:.3f}", f"{figure['difference']:+.3f}"
    if figure["low"] is None:
        return *plain, "–", ""
    sure = "*" if figure["low"] > 0 or figure["high"] < 0 else ""
    return *plain, f"{figure['low']:+.3f} to {figure['high']:+.3f}", sure


def _print_test(test: dict[str, Any], level: str) -> None:
    if test["p"] is not None:
        console.print(
            f"DeLong's test of the AUCs: z {test['z']:.2f}, p {test['p']:.2g} (treats {level}s as independent)."
        )


def _print_disagree(rows: list[dict[str, Any]]) -> None:
    if rows:
        cells = [
            ("/".join(filter(None, (row["dataset"], row["video"]))), row["label"], f"{row['a']:.3f}", f"{row['b']:.3f}")
            for row in rows
        ]
        console.print(table("Largest disagreements", ["video", "label", "A", "B"], cells))

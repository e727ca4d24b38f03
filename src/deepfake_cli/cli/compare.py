"""``deepfake compare``."""

from typing import Annotated, Any

import typer

from deepfake_cli.cli.console import console, print_json, table, warn
from deepfake_cli.config import Compare
from deepfake_cli.metrics.names import FIGURES


def compare(
    settings: Compare, json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False
) -> None:
    """Compare two detectors' predictions of the same frames: differences with paired intervals, and where they disagree."""
    from deepfake_cli.commands.compare import compare as run

    result = run(settings)
    if json:
        return print_json(result.found)
    print_comparison(result.found)
    for note in result.found["notes"]:
        warn(f"Note: {note}")
    if result.page:
        console.print(f"Wrote {result.page} and {result.page.with_suffix('.json')}", highlight=False)
    return None


def print_comparison(found: dict[str, Any]) -> None:
    """Print the differences at both levels, how the intervals were made, and where the two disagree most."""
    console.print(f"A: {found['a']}\nB: {found['b']}", highlight=False, markup=False)
    coverage = found["coverage"]
    console.print(
        f"{coverage['both']:,} rows in both, {coverage['only_a']:,} in A only, {coverage['only_b']:,} in B only.",
        highlight=False,
    )
    for level in ("frame", "video"):
        figures = found[level]
        rows = [(name, *_cells(figures[key])) for key, (name, _) in FIGURES.items()]
        title = f"{level}s: {figures['real']:,} real, {figures['fake']:,} fake"
        console.print(table(title, ["", "A", "B", "A - B", "95 % interval", ""], rows))
        _print_test(figures["auc"]["delong"], level)
    interval = found["interval"]
    console.print(
        f"* the interval leaves 0 out. {interval['resamples']:,} resamples of {interval['units']:,} {interval['unit']}s, the "
        f"same for both ({interval['method']}).",
        highlight=False,
    )
    _print_disagree(found["disagree"])


def _cells(figure: dict[str, Any]) -> tuple[str, ...]:
    plain = f"{figure['a']:.3f}", f"{figure['b']:.3f}", f"{figure['difference']:+.3f}"
    if figure["low"] is None:
        return *plain, "–", ""
    sure = "*" if figure["low"] > 0 or figure["high"] < 0 else ""
    return *plain, f"{figure['low']:+.3f} to {figure['high']:+.3f}", sure


def _print_test(test: dict[str, Any], level: str) -> None:
    if test["p"] is not None:
        console.print(
            f"DeLong's test of the AUCs: z {test['z']:.2f}, p {test['p']:.2g} ({level}s taken as independent).",
            highlight=False,
        )


def _print_disagree(rows: list[dict[str, Any]]) -> None:
    if rows:
        cells = [
            ("/".join(filter(None, (row["dataset"], row["video"]))), row["label"], f"{row['a']:.3f}", f"{row['b']:.3f}")
            for row in rows
        ]
        console.print(table("Where they disagree most", ["video", "is", "A", "B"], cells))

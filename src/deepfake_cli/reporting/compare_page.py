"""``compare.html``: two detectors compared, in one file with its images."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepfake_cli.media.image import read_image
from deepfake_cli.metrics.few import no_interval
from deepfake_cli.metrics.names import FIGURES
from deepfake_cli.reporting.html import data_url, render
from deepfake_cli.reporting.svg import Plot

SIDE = 96  # pixels of an image


def page(comparison: Mapping[str, Any], plots: Sequence[Plot]) -> str:
    """Return the HTML of a comparison.

    Args:
        comparison: the content of ``compare.json``, as `deepfake_cli.commands.compare.compare` makes it.
        plots: as from `deepfake_cli.reporting.compare_plots.plots`.
    """
    videos = [row | {"images": list(filter(None, map(_image, row["images"])))} for row in comparison["disagree"]]
    why = no_interval(comparison["interval"]["units"], comparison["interval"]["unit"])
    return render(
        "reporting/compare.html.jinja",
        comparison=comparison,
        figures=FIGURES,
        videos=videos,
        plots=plots,
        result=result(comparison, why),
        no_interval=why,
    )


def result(comparison: Mapping[str, Any], no_interval: str | None = None) -> str:
    """The finding in one sentence: which detector has the higher video AUC, and whether its interval excludes 0."""
    auc = comparison["video"]["auc"]
    if auc["difference"] is None or auc["difference"] != auc["difference"]:
        return "The videos have one class only, so there is no AUC to compare."
    higher = "A and B have the same video AUC" if not auc["difference"] else (
        f"The video AUC of {'A' if auc['difference'] > 0 else 'B'} is higher by {abs(auc['difference']):.3f}"
    )  # fmt: skip
    if auc["low"] is None:
        return f"{higher}. {no_interval or 'There is no interval.'}"
    sure = auc["low"] > 0 or auc["high"] < 0
    return (
        f"{higher}. The 95 % interval of A − B, {auc['low']:+.3f} to {auc['high']:+.3f}, "
        f"{'excludes 0' if sure else 'includes 0: the difference is not significant'}."
    )


def _image(path: str) -> str | None:
    image = read_image(Path(path))
    return None if image is None else data_url(image, SIDE)

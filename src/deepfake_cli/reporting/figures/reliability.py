"""The reliability diagram: are 80 % of the frames with a score of 0.8 fake?"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.metrics.names import CALIBRATION, FIGURES
from deepfake_cli.reporting.style import ACCENT, GREY, PALE, STYLE, save_all

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def reliability_diagram(
    path: Path, panels: Sequence[Mapping[str, Any]], about: str, formats: Collection[str] = ()
) -> None:
    """Draw panels, such as before and after calibration, as a PNG and in further formats.

    Args:
        path: of the PNG.
        panels: each with ``title``, ``bins`` (see `deepfake_cli.metrics.reliability.reliability`) and ``errors`` (metric to
            value).
        about: line below the title: the data it was measured on.
        formats: see `deepfake_cli.reporting.style.save_all`.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    width = 4.6 * len(panels)
    with rc_context(STYLE):
        layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08, rect=(0, 0, 1, 0.88))
        figure = Figure(figsize=(width, 6.2), layout=layout)
        grid = figure.subplots(2, len(panels), squeeze=False, height_ratios=(4, 1), sharex=True)
        for number, panel in enumerate(panels):
            _curve(grid[0][number], panel)
            _counts(grid[1][number], panel["bins"])
        figure.text(0.17 / width, 0.975, "Reliability diagram", size=14, weight="bold", va="top")
        figure.text(0.17 / width, 0.92, about, color=GREY, va="top")
        save_all(figure, path, formats)


def _curve(axes: "Axes", panel: Mapping[str, Any]) -> None:
    """Share of fakes against mean score, with the gap to the diagonal."""
    bins = panel["bins"]
    means, shares = [group["score"] for group in bins], [group["fake"] for group in bins]
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
    axes.vlines(means, means, shares, color=GREY, linewidth=3, alpha=0.35)
    axes.plot(means, shares, "o-", color=ACCENT, markersize=4.5, linewidth=1.4, clip_on=False)
    axes.set(xlim=(0, 1), ylim=(0, 1), title=panel["title"], ylabel="share of fakes")
    axes.grid(color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)
    words = "\n".join(f"{FIGURES[key].name} {panel['errors'][key]:.3f}" for key in CALIBRATION)
    axes.text(0.03, 0.97, words, transform=axes.transAxes, va="top", linespacing=1.5)


def _counts(axes: "Axes", bins: Sequence[Mapping[str, Any]]) -> None:
    """Number of frames per bin."""
    left, wide = [group["low"] for group in bins], [group["high"] - group["low"] for group in bins]
    axes.bar(left, [group["n"] for group in bins], wide, align="edge", color=GREY, edgecolor="white", linewidth=0.6)
    axes.set(xlabel="score", ylabel="frames")

"""Plots of likelihood ratios: Tippett and empirical cross-entropy (ECE)."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deepfake_cli.metrics.likelihood_cost import ODDS, best_rising, cllr, cllr_min, ece
from deepfake_cli.reporting.style import ACCENT, COLOURS, GREY, PALE, STYLE, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def tippett_plot(path: Path, log10: np.ndarray, truth: np.ndarray, about: str) -> None:
    """Draw the share of reals and of fakes above each ratio, as a PNG.

    Args:
        path: of the PNG.
        log10: log10 likelihood ratios, float64 (videos,).
        truth: 0 for real and 1 for fake, (videos,).
        about: line below the title: the data it was measured on.
    """
    from matplotlib import rc_context

    with rc_context(STYLE):
        figure, axes = _figure("Tippett plot", about)
        for label, name in enumerate(("real", "fake")):
            ratios = np.sort(log10[truth == label])
            above = 1 - np.arange(len(ratios) + 1) / len(ratios)
            axes.step(
                np.r_[ratios[0] - 1, ratios, ratios[-1] + 1],
                np.r_[above, 0],
                where="post",
                color=COLOURS[label],
                label=name,
            )
        axes.axvline(0, color=GREY, linewidth=1, linestyle="--")
        span = max(0.5, float(np.abs(log10).max()) * 1.1)
        axes.set(xlim=(-span, span), ylim=(0, 1), ylabel="share of videos above")
        axes.set_xlabel("log10 of the likelihood ratio: right supports fake, left real")
        axes.legend()
        save(figure, path)


def ece_plot(path: Path, log10: np.ndarray, truth: np.ndarray, about: str) -> None:
    """Draw the empirical cross-entropy over all prior odds, as a PNG; arguments as for `tippett_plot`."""
    from matplotlib import rc_context

    with rc_context(STYLE):
        figure, axes = _figure("Empirical cross-entropy", about)
        axes.plot(ODDS, ece(np.zeros(len(log10)), truth), color=GREY, linestyle=":", label="a ratio of 1 for all")
        axes.plot(ODDS, ece(log10, truth), color=ACCENT, label=f"these ratios: Cllr {cllr(log10, truth):.3f}")
        best = f"best rising map of them: Cllr-min {cllr_min(log10, truth):.3f}"
        axes.plot(ODDS, ece(best_rising(log10, truth), truth), color=ACCENT, linestyle="--", label=best)
        axes.set(xlim=(ODDS[0], ODDS[-1]), ylim=(0, 1.35), ylabel="cross-entropy in bits; lower is better")
        axes.set_xlabel("log10 of the prior odds of fake")
        axes.legend(loc="upper left")
        save(figure, path)


def _figure(title: str, about: str) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(
        figsize=(6.4, 4.6), dpi=110, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08, rect=(0, 0, 1, 0.87))
    )
    axes = figure.subplots()
    axes.grid(color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)
    figure.text(0.02, 0.975, title, size=14, weight="bold", va="top")
    figure.text(0.02, 0.905, about, color=GREY, va="top", size=8)
    return figure, axes

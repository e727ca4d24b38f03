"""Plot the scores of a verdict over time."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from deepfake_cli.inference.result import Verdict

REAL, FAKE, LINE = "#0072b2", "#d55e00", "#333333"  # Okabe and Ito: blue real, orange fake


def plot(verdict: "Verdict") -> "Figure":
    """Plot the scores of the deciding face over time, with the thresholds as the edges of the coloured areas."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 2.6), layout="constrained")
    axes = figure.add_subplot()
    axes.axhspan(verdict.threshold, 1, color=FAKE, alpha=0.15, linewidth=0, label="fake")
    axes.axhspan(0, verdict.real_below, color=REAL, alpha=0.15, linewidth=0, label="real")
    if verdict.faces:
        line = verdict.faces[0].timeline
        across = np.array([verdict.times[frame] for frame in line.frames]) if verdict.times else line.frames
        axes.plot(across, line.scores, color=LINE, linewidth=1, marker="o", markersize=3 if len(line) > 1 else 8)
    else:
        axes.text(0.5, 0.5, verdict.reason, transform=axes.transAxes, ha="center", va="center", wrap=True)
    axes.set(
        ylim=(0, 1),
        xlabel="time in seconds" if verdict.times else "frame",
        ylabel="probability of fake" if verdict.calibrated else "score",
        title=f"{verdict.path.name}: {verdict.label}" + ("" if verdict.score is None else f", {verdict.score:.2f}"),
    )
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return figure

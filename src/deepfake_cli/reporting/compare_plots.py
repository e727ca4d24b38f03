"""The plots of a comparison: ROC of both detectors, the score of each video, and the differences with intervals."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from deepfake_cli.datasets.clip import LABELS
from deepfake_cli.metrics.names import FIGURES
from deepfake_cli.reporting.style import ACCENT, COLOURS, GREY, SECOND
from deepfake_cli.reporting.svg import SIZE, Plot, plot
from deepfake_cli.reporting.svg_plots import UNIT, curve_points

if TYPE_CHECKING:
    import pandas as pd

NAMES = tuple(f"compare-{name}" for name in ("roc-video", "roc-frame", "scores", "differences"))  # of `plots`
SIDES = {"a": (ACCENT, "-", 2.2), "b": (SECOND, "--", 2.0)}  # colour, line style, line width
LEVELS = {"frame": (GREY, "o"), "video": (ACCENT, "D")}
MOST_MARKS = 5000  # more are drawn as one image: a page of a million marks would not load


def plots(comparison: Mapping[str, Any], frames: "pd.DataFrame", videos: "pd.DataFrame") -> list[Plot]:
    """Draw all plots of a comparison.

    Args:
        comparison: the content of ``compare.json``.
        frames: the common rows, with label (0 or 1), a and b.
        videos: the same for videos.
    """
    drawn = [scatter(videos, comparison["thresholds"]), differences(comparison)]
    if frames["label"].nunique() == 2:
        drawn = [roc("video", videos), roc("frame", frames), *drawn]
    return drawn


def roc(level: str, rows: "pd.DataFrame") -> Plot:
    """ROC curve of both detectors, of frames or videos."""
    from sklearn.metrics import roc_auc_score, roc_curve

    words = ", ".join(f"{side.upper()} {roc_auc_score(rows['label'], rows[side]):.3f}" for side in SIDES)
    labels: dict[str, Any] = {"xlabel": "false positive rate", "ylabel": "true positive rate"}
    with plot(f"compare-roc-{level}", f"ROC of {level}s", f"AUC: {words}.", **labels, **UNIT) as made:
        made.axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":", label="chance")
        for side, (colour, style, width) in SIDES.items():
            false, true, _ = roc_curve(rows["label"], rows[side])
            points = curve_points(false, true)
            made.axes.plot(*points.T, color=colour, linestyle=style, linewidth=width, label=side.upper())
        made.axes.legend(loc="lower right")
    return made


def scatter(videos: "pd.DataFrame", thresholds: list[float]) -> Plot:
    """Score of each video by A and by B; videos off the diagonal are judged differently."""
    words = f"Diagonal: the same score. Dashed: thresholds {thresholds[0]:.3f} of A and {thresholds[1]:.3f} of B."
    labels: dict[str, Any] = {"xlabel": "score of A", "ylabel": "score of B"}
    with plot("compare-scores", f"Scores of {len(videos):,} videos", words, **labels, **UNIT) as made:
        made.axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":")
        made.axes.axvline(thresholds[0], color=GREY, linewidth=1, linestyle="--")
        made.axes.axhline(thresholds[1], color=GREY, linewidth=1, linestyle="--")
        for label, (word, colour, marker) in enumerate(zip(LABELS, COLOURS, ("o", "^"), strict=True)):
            rows = videos[videos["label"] == label]
            look: dict[str, Any] = {
                "s": 26,
                "facecolor": "none",
                "edgecolor": colour,
                "linewidth": 1.3,
                "marker": marker,
            }
            made.axes.scatter(rows["a"], rows["b"], label=word, rasterized=len(videos) > MOST_MARKS, **look)
        made.figure.legend(loc="outside upper center", ncols=2)
    return made


def differences(comparison: Mapping[str, Any]) -> Plot:
    """A minus B for each metric, with its interval."""
    names = [name for name, _ in FIGURES.values()]
    sure = any(comparison[level][key]["low"] is not None for level in LEVELS for key in FIGURES)
    words = f"A minus B{'; lines: 95 % intervals' * sure}. Of errors, such as EER, lower is better."
    places = np.arange(len(names))
    labels: dict[str, Any] = {
        "xlabel": "A − B",
        "yticks": places,
        "yticklabels": names,
        "ylim": (len(names) - 0.4, -0.6),
    }
    with plot("compare-differences", "Differences", words, (SIZE[0], 0.9 + 0.32 * len(names)), **labels) as made:
        made.axes.axvline(0, color=GREY, linewidth=1)
        for (level, (colour, marker)), shift in zip(LEVELS.items(), (-0.14, 0.14), strict=True):
            metrics = [comparison[level][key] for key in FIGURES]
            for place, metric in zip(places + shift, metrics, strict=True):
                if metric["low"] is not None:
                    made.axes.plot([metric["low"], metric["high"]], [place] * 2, color=colour, linewidth=1.6)
            values = [metric["difference"] for metric in metrics]
            made.axes.plot(values, places + shift, marker, color=colour, markersize=4.5, label=f"{level}s")
        made.axes.grid(axis="y", visible=False)
        made.axes.tick_params(axis="y", length=0)
        made.figure.legend(loc="outside upper center", ncols=2)
    return made

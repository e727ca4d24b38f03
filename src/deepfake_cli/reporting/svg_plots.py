"""The plots of a report as SVG: ROC, precision and recall, scores, reliability, robustness."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deepfake_cli.datasets.clip import LABELS
from deepfake_cli.metrics.reliability import reliability as reliability_bins
from deepfake_cli.reporting.style import FAKE, GREY, INK, LOOKS, REAL
from deepfake_cli.reporting.svg import Plot, plot

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Levels = Mapping[str, "pd.DataFrame"]  # frame, video: columns label (0 or 1) and score
UNIT = {"xlim": (-0.02, 1.02), "ylim": (-0.02, 1.02)}
BINS = 10  # of the reliability diagram
FINE = 500  # grid of rounded curve points: a million frames draw as fast as a hundred


def roc(levels: Levels, threshold: float) -> Plot:
    """ROC curve of each level, with a dot at the threshold."""
    from sklearn.metrics import roc_auc_score, roc_curve

    words = "; ".join(
        f"{name}s: AUC {roc_auc_score(rows['label'], rows['score']):.3f}" for name, rows in levels.items()
    )
    labels: dict[str, Any] = {"xlabel": "false positive rate", "ylabel": "true positive rate"}
    with plot("roc", "ROC", f"{words}. Dots: threshold {threshold:.3f}.", **labels, **UNIT) as made:
        made.axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":", label="chance")
        for name, rows in levels.items():
            false, true, _ = roc_curve(rows["label"], rows["score"])
            _curve(made.axes, name, rows, false, true)
            called = rows["score"] >= threshold
            at = [called[rows["label"] == label].mean() for label in (0, 1)]
            made.axes.plot(*at, "o", color=LOOKS[name][0], markersize=6)
        made.axes.legend(loc="lower right")
    return made


def precision_recall(levels: Levels) -> Plot:
    """Precision and recall of each level; chance is the share of fakes."""
    from sklearn.metrics import average_precision_score, precision_recall_curve

    words = "; ".join(
        f"{name}s: average precision {average_precision_score(rows['label'], rows['score']):.3f}"
        for name, rows in levels.items()
    )
    labels: dict[str, Any] = {"xlabel": "recall", "ylabel": "precision"}
    with plot("precision-recall", "Precision and recall", f"{words}.", **labels, **UNIT) as made:
        made.axes.axhline(levels["frame"]["label"].mean(), color=GREY, linewidth=0.8, linestyle=":", label="chance")
        for name, rows in levels.items():
            precision, recall, _ = precision_recall_curve(rows["label"], rows["score"])
            _curve(
                made.axes, name, rows, recall[:-1], precision[:-1], drawstyle="steps-post"
            )  # the last point has no prediction
        made.axes.legend(loc="best")
    return made


def curve_points(x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    """The points of a curve on a grid of `FINE` steps, each once: (points, 2)."""
    points = np.round(np.stack([x, y], axis=1) * FINE) / FINE
    return points[np.append(True, (np.diff(points, axis=0) != 0).any(axis=1))]


def _curve(axes: "Axes", name: str, rows: "pd.DataFrame", x: NDArray[Any], y: NDArray[Any], **look: Any) -> None:
    colour, style, width = LOOKS[name]
    axes.plot(
        *curve_points(x, y).T, color=colour, linestyle=style, linewidth=width, label=f"{len(rows):,} {name}s", **look
    )


def scores(name: str, rows: "pd.DataFrame", threshold: float) -> Plot:
    """Histogram of the scores of reals and fakes; fakes are hatched, to be told apart without colour."""
    from matplotlib.ticker import MaxNLocator

    title = f"Scores of {len(rows):,} {name}s"
    medians = [
        f"{word} median {rows['score'][rows['label'] == label].median():.3f}" for label, word in enumerate(LABELS)
    ]
    words = f"{', '.join(medians)}. Line: threshold {threshold:.3f}."
    labels: dict[str, Any] = {"xlabel": "score (0: real, 1: fake)", "ylabel": f"{name}s", "xlim": (0, 1)}
    with plot(f"scores-{name}", title, words, **labels) as made:
        for label, (word, colour, hatch) in enumerate(zip(LABELS, (REAL, FAKE), ("", "////"), strict=True)):
            values = rows["score"][rows["label"] == label]
            bins: dict[str, Any] = {"bins": 20, "range": (0, 1)}
            made.axes.hist(values, histtype="stepfilled", facecolor=colour, alpha=0.35, **bins)
            made.axes.hist(values, histtype="step", edgecolor=colour, linewidth=1.8, hatch=hatch, label=word, **bins)
        made.axes.axvline(threshold, color=INK, linestyle="--", linewidth=1.2, label="threshold")
        made.axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        made.figure.legend(loc="outside upper center", ncols=3)
    return made


def reliability(levels: Levels) -> Plot:
    """Share of fakes per bin of scores; a calibrated detector is on the diagonal."""
    labels: dict[str, Any] = {"xlabel": "mean score", "ylabel": "share of fakes"}
    words = (
        f"Mean score and share of fakes in {BINS} bins; larger dots hold more frames or videos. Diagonal: calibrated."
    )
    with plot("reliability-curve", "Reliability", words, **labels, **UNIT) as made:
        made.axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":", label="calibrated")
        for name, rows in levels.items():
            colour, style, _ = LOOKS[name]
            bins = reliability_bins(rows["label"], rows["score"], BINS)
            means, shares, sizes = ([group[key] for group in bins] for key in ("score", "fake", "n"))
            made.axes.plot(means, shares, color=colour, linestyle=style, linewidth=1)
            areas = 12 + 100 * np.array(sizes) / len(rows)
            made.axes.scatter(means, shares, areas, color=colour, label=f"{len(rows):,} {name}s")
        made.axes.legend(loc="upper left")
    return made


def robustness(number: int, change: str, steps: list[Mapping[str, Any]], clean: float | None) -> Plot:
    """AUC against the strength of one corruption, of frames and videos."""
    labels: dict[str, Any] = {
        "xlabel": "strength",
        "ylabel": "AUC",
        "ylim": (0, 1.02),
        "xticks": [step["strength"] for step in steps],
    }
    words = "; ".join(f"strength {step['strength']}: {_value(step, 'video')}" for step in steps)
    with plot(f"robustness-{number}", f"AUC after {change}", f"Videos: {words}.", **labels) as made:
        made.axes.axhline(0.5, color=GREY, linewidth=0.8, linestyle=":", label="chance")
        if clean is not None:
            made.axes.axhline(clean, color=INK, linewidth=0.8, label="videos, original")
        for name, (colour, style, width) in LOOKS.items():
            known = [(step["strength"], step[name]["auc"]) for step in steps if step.get(name, {}).get("auc")]
            known = [(strength, auc) for strength, auc in known if auc["value"] is not None]
            _band(made.axes, known, colour)
            heights = [auc["value"] for _, auc in known]
            look: dict[str, Any] = {"color": colour, "linestyle": style, "linewidth": width, "marker": "o"}
            made.axes.plot([strength for strength, _ in known], heights, label=f"{name}s", **look)
        made.axes.legend(loc="lower left")
    return made


def _band(axes: "Axes", known: list[tuple[float, Mapping[str, Any]]], colour: str) -> None:
    ends = [(strength, auc["low"], auc["high"]) for strength, auc in known if auc.get("low") is not None]
    if ends:
        strength, low, high = zip(*ends, strict=True)
        axes.fill_between(strength, low, high, color=colour, alpha=0.15, linewidth=0)


def _value(step: Mapping[str, Any], level: str) -> str:
    value = (step.get(level, {}).get("auc") or {}).get("value")
    return "unknown" if value is None else f"{value:.3f}"

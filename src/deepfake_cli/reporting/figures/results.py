"""The metrics of a training over its epochs: loss, accuracy, validation AUC, learning rate."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.reporting.style import ACCENT, GREY, LOOKS, PALE, SECOND, STYLE, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TRAIN, VALIDATION = (SECOND, "--", 1.6), (ACCENT, "-", 2.0)  # colour, line style, line width
SIZE = (3.4, 3.0)  # of a panel, in inches
LEFT, RIGHT, ABOVE, BELOW, BETWEEN = 0.68, 0.12, 0.32, 0.5, 0.32  # inches; between panels, in widths of one
PANELS = {
    "loss": {"loss": ("training", TRAIN), "val_loss": ("validation", VALIDATION)},
    "accuracy": {"accuracy": ("training", TRAIN), "val_accuracy": ("validation", VALIDATION)},
    "validation AUC": {"val_auc": ("frames", LOOKS["frame"]), "val_video_auc": ("videos", LOOKS["video"])},
    "learning rate": {"lr": ("learning rate", (GREY, "-", 1.6))},
}
RATES = ("accuracy", "validation AUC")  # from 0 to 1


def results_plot(path: Path, history: Sequence[Mapping[str, Any]], best: int | None) -> None:
    """Draw a panel per metric, as a PNG.

    Args:
        path: of the PNG.
        history: of the recipe: a row per epoch, with ``epoch`` and metrics; metrics that no row has are left out.
        best: the epoch whose snapshot is the best; a dotted line.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    shown = [title for title, lines in PANELS.items() if any(key in row for row in history for key in lines)]
    with rc_context(STYLE):
        width, height = SIZE[0] * len(shown), SIZE[1]
        figure = Figure(figsize=(width, height))  # without a layout engine, which takes more time than drawing
        figure.subplots_adjust(LEFT / width, BELOW / height, 1 - RIGHT / width, 1 - ABOVE / height, BETWEEN)
        for axes, title in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
            _panel(axes, title, history, best)
        save(figure, path)


def _panel(axes: "Axes", title: str, history: Sequence[Mapping[str, Any]], best: int | None) -> None:
    from matplotlib.ticker import MaxNLocator

    if best is not None:
        axes.axvline(best, color=GREY, linewidth=1, linestyle=":", label=f"best: epoch {best}")
    for key, (name, (colour, style, width)) in PANELS[title].items():
        known = [(row["epoch"], row[key]) for row in history if row.get(key) is not None]
        if known:
            look: dict[str, Any] = {"color": colour, "linestyle": style, "linewidth": width, "markersize": 3.5}
            axes.plot(*zip(*known, strict=True), marker="o", label=name, clip_on=False, **look)
    axes.set(title=title, xlabel="epoch")
    if title in RATES:
        shown = [row[key] for row in history for key in PANELS[title] if row.get(key) is not None]
        constant = min(shown) == max(shown)
        low, high = (shown[0] - 0.1, shown[0] + 0.1) if constant else axes.get_ylim()
        axes.set_ylim(max(low, 0), min(high, 1))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter("{x:.7g}")  # the default puts a factor or an offset where the title is
    if title != "learning rate":
        axes.legend(loc="best")

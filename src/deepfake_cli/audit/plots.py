"""The overview of an audit as one figure: a panel per property, and the AUC of each."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.audit.panels import panels
from deepfake_cli.audit.properties import IMAGE, SOURCE
from deepfake_cli.audit.verdict import NAMES
from deepfake_cli.datasets.clip import LABELS
from deepfake_cli.reporting.style import COLOURS, GREY, INK, PALE, SHADE, STYLE, save_all

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 3  # of panels
HEAD, ROW = 0.85, 2.45  # inches: the title and its legend, a row of panels


def overview(
    path: Path,
    images: "pd.DataFrame",
    videos: "pd.DataFrame",
    audit: Mapping[str, Any],
    formats: Collection[str] = (),
) -> None:
    """Draw the overview as a PNG and in further formats.

    Args:
        path: of the PNG.
        images: one row per image, with the columns label and those of `properties.IMAGE`.
        videos: one row per video, with the columns label and those of `properties.SOURCE`.
        audit: the result of `deepfake audit`: see `deepfake_cli.commands.audit.AuditResult`.
        formats: see `deepfake_cli.reporting.style.save_all`.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    drawn = panels(images, videos)
    rows = max(2, -(-len(drawn) // COLUMNS))
    height = HEAD + ROW * rows
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1, rect=(0, 0, 1, 1 - HEAD / height))
    with rc_context(STYLE):
        figure = Figure(figsize=(13.5, height), layout=layout)
        grid = figure.add_gridspec(rows, COLUMNS + 2)
        for number, draw in enumerate(drawn):
            draw(figure.add_subplot(grid[number // COLUMNS, number % COLUMNS]))
        ranking(figure.add_subplot(grid[:, COLUMNS:]), audit)
        _head(figure, images, videos, audit)
        save_all(figure, path, formats)


def ranking(axes: "Axes", audit: Mapping[str, Any]) -> None:
    """AUC of the classifiers and of each property, with intervals, highest first."""
    found = lines(audit)
    axes.axvspan(0.5, audit["limit"], color=SHADE, zorder=0)
    for place, (_, figures, classifier) in enumerate(found):
        _dot(axes, place, figures, classifier)
    if not found:
        words = "not measured:\nsee the notes"
        axes.text(0.5, 0.5, words, ha="center", transform=axes.transAxes, color=GREY)
    lows = [figures["low"] for _, figures, _ in found if figures["low"] is not None]
    about = "AUC, 95 % interval" if lows else "AUC"
    axes.set(title="AUC from properties alone", xlabel=f"{about}; shaded: up to {audit['limit']:g}")
    low = min([0.4, *lows, *(figures["auc"] for _, figures, _ in found)])
    axes.set(yticks=range(len(found)), yticklabels=[name for name, _, _ in found], xlim=(low - 0.02, 1.02))
    for text, (_, _, classifier) in zip(axes.get_yticklabels(), found, strict=True):
        text.set_fontweight("bold" if classifier else "normal")
    axes.set_ylim(max(len(found), 6) - 0.4, -0.7)
    axes.axvline(0.5, color=GREY, linewidth=1)
    axes.grid(axis="x", color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)


def _dot(axes: "Axes", place: int, figures: Mapping[str, Any], classifier: bool) -> None:
    """One line of the ranking: AUC and interval, if any."""
    colour, width, mark, size = (INK, 2.5, "D", 8) if classifier else (GREY, 1.6, "o", 6)
    if figures["low"] is not None:
        axes.plot([figures["low"], figures["high"]], [place] * 2, color=colour, linewidth=width)
    axes.plot(figures["auc"], place, mark, color=colour, markersize=size)
    at = (figures["auc"], place)
    axes.annotate(f"{figures['auc']:.2f}", at, (0, 8), textcoords="offset points", ha="center", fontsize=8)


def lines(audit: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any], bool]]:
    """Name, AUC and whether it is a classifier, for each line of the ranking."""
    both = [
        (f"{NAMES[name]}, together", about, True)
        for name, about in audit["baselines"].items()
        if about["auc"] is not None
    ]
    measured = {**audit["properties"], **audit["sources"]["properties"]}
    single = [
        ((IMAGE | SOURCE)[name].title, about["alone"], False)
        for name, about in measured.items()
        if about["alone"] and not about["same"]
    ]
    return both + sorted(single, key=lambda line: -line[1]["auc"])


def _head(figure: "Figure", images: "pd.DataFrame", videos: "pd.DataFrame", audit: Mapping[str, Any]) -> None:
    """Title, data, and a legend with counts."""
    from matplotlib.patches import Patch

    patches = []
    for label, (word, colour) in enumerate(zip(LABELS, COLOURS, strict=True)):
        image_count, video_count = ((table["label"] == label).sum() for table in (images, videos))
        patches.append(Patch(color=colour, label=f"{word}: {image_count:,} images, {video_count:,} videos"))
    height = figure.get_size_inches()[1]
    lists = ", ".join(dict.fromkeys(row["part"] for row in audit["counts"]["parts"]))
    about = f"{lists} · {audit['counts']['groups']['all']:,} groups · dashed: medians"
    figure.text(0.012, 1 - 0.17 / height, "Shortcuts in the data", fontsize=15, fontweight="bold", va="top")
    figure.text(0.012, 1 - 0.5 / height, about, color=GREY, va="top")
    figure.legend(handles=patches, loc="upper right", bbox_to_anchor=(0.995, 1 - 0.12 / height), ncols=2, fontsize=10)

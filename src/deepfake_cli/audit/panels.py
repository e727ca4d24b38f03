"""The panels of the overview: one property each, reals and fakes."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from deepfake_cli.audit.properties import IMAGE
from deepfake_cli.reporting.style import COLOURS, GREY

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MOST = 5  # bars per panel
BINS, SKEWED = 30, 20  # of a histogram; ratio of its ends above which the axis is logarithmic
LOG_TICKS = [step * 10**power for power in range(-3, 7) for step in (1, 2, 5)]
SOURCE_BARS = {"codec": "codec of the video", "resolution": "size of the video, px", "fps": "frame rate, 1/s"}
IMAGE_BARS = {"size": "size of the image, px", "format": "format of the image"}


def panels(images: "pd.DataFrame", videos: "pd.DataFrame") -> list[Callable[["Axes"], None]]:
    """Return a drawing function for each property, sources first; constant properties of images are left out.

    Args:
        images: one row per image, with the columns label and those of `properties.IMAGE`.
        videos: one row per video, with the columns label and those of `properties.SOURCE`.
    """
    sizes = videos.assign(resolution=_sizes(videos, "source_width", "source_height"))
    pictures = images.assign(size=_sizes(images, "width", "height"))
    shown: list[Callable[[Axes], None]] = []
    for name, title in SOURCE_BARS.items():
        if sizes[name].notna().any():
            shown.append(partial(_bars, title=title, table=sizes, name=name, unit="videos"))
    for name, title in IMAGE_BARS.items():
        if pictures[name].nunique() > 1:
            shown.append(partial(_bars, title=title, table=pictures, name=name, unit="images"))
    covered = {"width", "height"} | ({"bytes_per_pixel"} if pictures["size"].nunique() == 1 else set())
    for name, about in IMAGE.items():
        if not about.words and name not in covered and images[name].nunique() > 1:
            title = f"{about.title}, {about.unit}" if about.unit else about.title
            shown.append(partial(_histogram, title=title, table=images, name=name))
    return shown


def _sizes(table: "pd.DataFrame", width: str, height: str) -> "pd.Series[Any]":
    known = table[[width, height]].notna().all(axis=1)
    sides = table.loc[known, [width, height]].astype("int64").astype(str)
    return (sides[width] + " × " + sides[height]).reindex(table.index)


def _bars(axes: "Axes", title: str, table: "pd.DataFrame", name: str, unit: str) -> None:
    """Share of each value in percent of its class, most frequent first, the rest as "other"."""
    values = table[name].astype(object).map(_word)
    top = values.value_counts().index[:MOST].tolist()
    shown = values.where(values.isin(top), "other")
    order = top + (["other"] if len(top) < values.nunique() else [])
    for label, (colour, shift) in enumerate(zip(COLOURS, (-0.2, 0.2), strict=True)):
        rows = shown[table["label"] == label]
        counts = rows.value_counts().reindex(order, fill_value=0)
        shares = 100 * counts / max(1, len(rows))
        bars = axes.barh(np.arange(len(order)) + shift, shares, 0.38, color=colour)
        axes.bar_label(bars, [f"{count:,}" for count in counts], padding=3, color=GREY, fontsize=8)
    axes.set(title=title, yticks=range(len(order)), yticklabels=order, xlim=(0, 118), xticks=(0, 50, 100))
    axes.set_xlabel(f"% of the {unit} of a class")
    axes.set_ylim(len(order) - 0.4 + max(0, 2 - len(order)) * 0.4, -0.6 - max(0, 2 - len(order)) * 0.4)
    axes.tick_params(axis="y", length=0)


def _word(value: Any) -> str:
    return "unknown" if value != value or value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _histogram(axes: "Axes", title: str, table: "pd.DataFrame", name: str) -> None:
    """Histogram of both classes in percent, with dashed lines at the medians."""
    values = table[name].dropna().astype(float)
    low, high = np.quantile(values, (0.005, 0.995))
    low, high = (low, high) if high > low else (float(values.min()), float(values.max()))
    if name == "jpeg_quality":  # whole numbers
        edges = np.arange(np.floor(low) - 0.5, np.ceil(high) + 1)
    elif low > 0 and high / low > SKEWED:
        edges = np.geomspace(low, high, BINS + 1)
        axes.set_xscale("log", subs=[])
        axes.set_xticks([tick for tick in LOG_TICKS if low <= tick <= high], minor=False)
        axes.xaxis.set_major_formatter("{x:g}")
    else:
        edges = np.linspace(low, high, BINS + 1)
    for label, colour in enumerate(COLOURS):
        rows = values[table.loc[values.index, "label"] == label]
        if rows.empty:
            continue
        shares = 100 * np.histogram(rows.clip(low, high), edges)[0] / len(rows)
        axes.stairs(shares, edges, fill=True, color=colour, alpha=0.28)
        axes.stairs(shares, edges, color=colour, linewidth=1.2)
        axes.axvline(float(rows.median()), color=colour, linestyle=(0, (4, 2)), linewidth=1.2)
    axes.set(title=title, xlim=(edges[0], edges[-1]), ylabel="% of images")
    axes.set_ylim(bottom=0)

"""AUC against the strength of a corruption, a panel per corruption."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.reporting.style import GREY, LOOKS, PALE, STYLE, save_all

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 3  # of panels
HEAD, ROW = 0.9, 2.3  # inches: the title and its legend, a row of panels


def robustness_plot(path: Path, rows: Sequence[Mapping[str, Any]], formats: Collection[str] = ()) -> None:
    """Draw frame and video AUC with intervals against strength, as a PNG and in further formats.

    Args:
        path: of the PNG.
        rows: the list ``robustness`` of ``metrics.json``; the first row is without corruption.
        formats: see `deepfake_cli.reporting.style.save_all`.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from matplotlib.lines import Line2D

    names = list(dict.fromkeys(row["change"] for row in rows[1:]))
    columns = min(COLUMNS, len(names))
    lines = -(-len(names) // columns)
    width, height = 1.2 + 3.6 * columns, HEAD + ROW * lines
    with rc_context(STYLE):
        layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1, rect=(0, 0, 1, 1 - HEAD / height))
        figure = Figure(figsize=(width, height), layout=layout)
        floor = _floor(rows)
        for number, name in enumerate(names):
            axes = figure.add_subplot(lines, columns, number + 1)
            _panel(axes, name, [rows[0], *(row for row in rows if row["change"] == name)], floor)
        counts = ", ".join(f"{rows[0][level]['n']:,} {level}s" for level in LOOKS)
        left = 0.12 / width
        shaded = "; shaded: 95 % intervals" if rows[0]["frame"]["auc"]["low"] is not None else ""
        figure.text(left, 1 - 0.15 / height, "AUC after corruption", size=14, weight="bold", va="top")
        figure.text(left, 1 - 0.47 / height, f"{counts}{shaded}", color=GREY, va="top")
        marks = [
            Line2D([], [], color=colour, linestyle=style, marker="o", label=f"{level}s")
            for level, (colour, style, _) in LOOKS.items()
        ]
        figure.legend(handles=marks, loc="upper right", bbox_to_anchor=(0.995, 1 - 0.08 / height), ncols=2)
        save_all(figure, path, formats)


def _floor(rows: Sequence[Mapping[str, Any]]) -> float:
    """Lower end of all axes: 0.4, or below the lowest interval, so that panels can be compared."""
    figures = [row[level]["auc"] for row in rows for level in LOOKS]
    return min(0.4, *(auc["value"] - 0.05 if auc["low"] is None else auc["low"] - 0.02 for auc in figures))


def _panel(axes: "Axes", name: str, rows: Sequence[Mapping[str, Any]], floor: float) -> None:
    places = range(len(rows))
    axes.axhline(0.5, color=GREY, linewidth=1)
    for level, (colour, style, width) in LOOKS.items():
        figures = [row[level]["auc"] for row in rows]
        if all(auc["low"] is not None for auc in figures):
            low, high = ([auc[end] for auc in figures] for end in ("low", "high"))
            axes.fill_between(places, low, high, color=colour, alpha=0.13, linewidth=0)
        values = [auc["value"] for auc in figures]
        axes.axhline(values[0], color=colour, linewidth=0.8, linestyle=":")
        axes.plot(places, values, marker="o", color=colour, linestyle=style, markersize=4, linewidth=width)
    words = [row["parameter"].split() for row in rows[1:]]
    numbers = [next(word for word in parameter if word[0].isdigit()) for parameter in words]
    unit = " ".join("…" if word == numbers[0] else word for word in words[0])
    axes.set(title=name, xticks=places, xticklabels=["–", *numbers], xlabel=unit, ylabel="AUC", ylim=(floor, 1.02))
    axes.grid(axis="y", color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)

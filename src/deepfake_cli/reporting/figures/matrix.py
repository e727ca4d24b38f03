"""The cross-dataset matrix as two heat maps: frame AUC and video AUC."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.metrics.few import FEWEST
from deepfake_cli.reporting.style import GREY, INK, PALE, STYLE, save_all

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SEEN = {"train": "trained on", "validation": "chosen on"}
HATCHED = "hatched: test groups were used in training or validation, so the AUC is too high"
CELL = (1.35, 0.75)  # inches
SIDE, HEAD, FOOT = 0.5, 1.25, 0.45  # inches: beside and between the maps, above, below
LETTER = 0.085  # inches


def heat_map(path: Path, matrix: Mapping[str, Any], formats: Collection[str] = ()) -> None:
    """Draw the maps as a PNG and in further formats.

    Args:
        path: of the PNG.
        matrix: the content of ``matrix.json``.
        formats: see `deepfake_cli.reporting.style.save_all`.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    rows, columns = matrix["rows"], matrix["columns"]
    names = 0.3 + LETTER * max(len(row[:24]) for row in rows)
    wide, high = CELL[0] * len(columns), CELL[1] * len(rows)
    lacking = any((cell["units"] or FEWEST) < FEWEST for cell in matrix["cells"])
    few = f"; no interval below {FEWEST} groups" if lacking else ""
    words = f"rows: {'trained on' if matrix['seeds'] else 'detector'}, columns: tested on{few}"
    foot = HATCHED if any(cell["seen"] for cell in matrix["cells"]) else ""
    width = max(names + 2 * wide + 2 * SIDE, 0.3 + LETTER * max(len(words), len(foot)))
    height = HEAD + high + FOOT
    with rc_context(STYLE):
        figure = Figure(figsize=(width, height))
        for number, level in enumerate(("frame", "video")):
            left = names + number * (wide + SIDE)
            axes = figure.add_axes((left / width, FOOT / height, wide / width, high / height))
            _map(axes, matrix, level, labelled=not number)
        figure.text(0.15 / width, 1 - 0.15 / height, "Cross-dataset AUC", size=14, weight="bold", va="top")
        figure.text(0.15 / width, 1 - 0.47 / height, words, color=GREY, va="top")
        figure.text(0.15 / width, 0.12 / height, foot, color=GREY)
        save_all(figure, path, formats)


def _map(axes: "Axes", matrix: Mapping[str, Any], level: str, *, labelled: bool) -> None:
    rows, columns = matrix["rows"], matrix["columns"]
    for cell in matrix["cells"]:
        place = columns.index(cell["column"]), rows.index(cell["row"])
        _draw_cell(axes, place, cell, cell[level]["auc"] if cell[level] else None)
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    axes.set(xticks=range(len(columns)), xticklabels=[_short(name, 18) for name in columns], yticks=range(len(rows)))
    axes.set_yticklabels([_short(name, 24) for name in rows] if labelled else [])
    axes.set_title(f"{level}s", pad=22)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _draw_cell(axes: "Axes", place: tuple[int, int], cell: Mapping[str, Any], figure: Mapping[str, Any] | None) -> None:
    from matplotlib import colormaps
    from matplotlib.patches import Rectangle

    share = 0.0 if figure is None else min(1.0, max(0.0, 2 * figure["value"] - 1))  # white at chance and below
    corner = place[0] - 0.48, place[1] - 0.47
    face = "white" if figure is None else colormaps["Purples"](0.85 * share)
    edge, hatch = (GREY, "///") if cell["seen"] else (PALE, None)
    axes.add_patch(Rectangle(corner, 0.96, 0.94, facecolor=face, edgecolor=edge, hatch=hatch, linewidth=0.8))
    colour = "white" if share > 0.65 else INK
    box = {"facecolor": face, "edgecolor": "none", "pad": 1.5} if cell["seen"] else None
    if figure is None:
        axes.text(*place, "failed", ha="center", va="center", color=GREY)
        return
    axes.text(
        place[0], place[1] - 0.12, f"{figure['value']:.3f}", ha="center", va="center", color=colour, size=12, bbox=box
    )
    axes.text(place[0], place[1] + 0.22, beneath(figure), ha="center", va="center", color=colour, size=8, bbox=box)


def beneath(figure: Mapping[str, float | None]) -> str:
    """The interval, or the standard deviation over seeds, or nothing."""
    if figure["spread"] is not None:
        return f"± {figure['spread']:.3f}"
    return "" if figure["low"] is None else f"{figure['low']:.3f}–{figure['high']:.3f}"


def _short(name: str, most: int) -> str:
    return name if len(name) <= most else "…" + name[1 - most :]

"""A sheet of pictures in named columns, a row an image."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from deepfake_cli.reporting.style import GREY, STYLE, save

GAP, LEFT, TOP, DPI = 8, 150, 30, 100  # pixels: between pictures, for names, for headings
LONGEST = 20  # letters of a name


class Row(NamedTuple):
    """What is written beside a row: a name, and what was done to it."""

    name: str
    note: str


def strips(path: Path, rows: Sequence[Row], pictures: Mapping[str, np.ndarray]) -> None:
    """Draw a sheet.

    Args:
        path: where to, as a PNG.
        rows: one for each picture of a column.
        pictures: for each column its heading, and its pictures: 0..255, (rows, size, size, 3), or 1 for grey.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    columns = [np.broadcast_to(each, (*each.shape[:3], 3)) for each in pictures.values()]
    size = columns[0].shape[1]
    sheet = np.full((len(rows) * (size + GAP) - GAP, len(columns) * (size + GAP) - GAP, 3), 255, np.uint8)
    for place, column in enumerate(columns):
        for number, picture in enumerate(column):
            top, left = number * (size + GAP), place * (size + GAP)
            sheet[top : top + size, left : left + size] = np.clip(np.rint(picture), 0, 255)
    height, width = sheet.shape[0] + TOP + GAP, sheet.shape[1] + LEFT + GAP
    with rc_context(STYLE):
        figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
        axes = figure.add_axes(
            (LEFT / width, GAP / height, sheet.shape[1] / width, sheet.shape[0] / height), frameon=False
        )
        axes.imshow(sheet, interpolation="none", aspect="auto")
        axes.set_axis_off()
        for number, row in enumerate(rows):
            middle = number * (size + GAP) + size / 2
            name = row.name if len(row.name) <= LONGEST else "…" + row.name[1 - LONGEST :]
            axes.text(-12, middle - 2, name, ha="right", va="bottom")
            axes.text(-12, middle + 2, row.note, ha="right", va="top", color=GREY)
        for place, heading in enumerate(pictures):
            axes.text(place * (size + GAP) + size / 2, -8, heading, ha="center", va="bottom", fontweight="bold")
        save(figure, path)

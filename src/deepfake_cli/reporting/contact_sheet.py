"""The contact sheet: random reals and fakes of each group side by side, for the reader's own eyes."""

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from deepfake_cli.datasets.clip import LABELS
from deepfake_cli.media.video import read_image
from deepfake_cli.reporting.style import COLOURS, GREY, STYLE, save

if TYPE_CHECKING:
    import pandas as pd

TILE, GAP, SPLIT = 112, 6, 26  # pixels: an image, between two, between the classes
EACH, MOST = 5, 12  # images of a class in a row; rows
DPI = 100


def sheet(path: Path, table: "pd.DataFrame", seed: int) -> dict[str, int]:
    """Draw random images, a row a group: reals on the left, fakes on the right.

    Args:
        path: where to, as a PNG.
        table: listed images with the columns path, label, dataset and group; those that can't be read are left grey.
        seed: of the choice of groups and images.

    Returns:
        ``groups``: how many there are, and ``shown``: how many are drawn.
    """
    from matplotlib import rc_context

    rng = np.random.default_rng(seed)
    groups = [rows for _, rows in table.groupby(["dataset", "group"], observed=True, sort=True)]
    chosen = sorted(rng.permutation(len(groups))[:MOST].tolist())
    names = [_name(groups[number], table) for number in chosen]
    rows = [_row(groups[number], rng) for number in chosen]
    note = (
        f"{len(chosen)} of {len(groups)} groups, drawn at random"
        if len(chosen) < len(groups)
        else f"{len(groups)} groups"
    )
    with rc_context(STYLE):
        _draw(path, np.concatenate(rows), names, note)
    return {"groups": len(groups), "shown": len(chosen)}


def _name(rows: "pd.DataFrame", table: "pd.DataFrame") -> str:
    """The group, with its data set where there are several; a long one (a path) loses its beginning."""
    dataset, group = rows[["dataset", "group"]].iloc[0]
    name = f"{dataset}/{group}" if table["dataset"].nunique() > 1 else str(group)
    return name if len(name) <= 22 else "…" + name[-21:]


def _row(rows: "pd.DataFrame", rng: np.random.Generator) -> np.ndarray:
    """One row of tiles: uint8 RGB (TILE + GAP, width, 3)."""
    row = np.full((TILE + GAP, _left(2 * EACH - 1) + TILE, 3), 255, np.uint8)
    for label in range(len(LABELS)):
        paths = rows.loc[rows["label"] == label, "path"].to_numpy()
        for place, index in enumerate(rng.permutation(len(paths))[:EACH]):
            left = _left(label * EACH + place)
            row[:TILE, left : left + TILE] = _tile(Path(str(paths[index])))
    return row


def _left(place: int) -> int:
    return place * (TILE + GAP) + (SPLIT if place >= EACH else 0)


def _tile(path: Path) -> np.ndarray:
    """An image, whole, in the middle of a square: uint8 RGB (TILE, TILE, 3)."""
    tile = np.full((TILE, TILE, 3), 235, np.uint8)
    image = read_image(path)
    if image is None:
        return tile
    factor = TILE / max(image.shape[:2])
    width, height = (max(1, round(side * factor)) for side in image.shape[1::-1])
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    top, left = (TILE - height) // 2, (TILE - width) // 2
    tile[top : top + height, left : left + width] = small[..., ::-1]
    return tile


def _draw(path: Path, picture: np.ndarray, names: list[str], note: str) -> None:
    """Put names, headings and a note round the tiles, at one pixel of the picture a pixel of the PNG."""
    from matplotlib.figure import Figure

    height, width = picture.shape[:2]
    left, top, bottom, right = 30 + 8 * max(map(len, names)), 58, 6, 14
    figure = Figure(figsize=((left + width + right) / DPI, (top + height + bottom) / DPI), dpi=DPI)
    full = figure.get_size_inches() * DPI
    axes = figure.add_axes((left / full[0], bottom / full[1], width / full[0], height / full[1]))
    axes.imshow(picture, interpolation="none", aspect="auto")
    axes.set_axis_off()
    for number, name in enumerate(names):
        axes.text(-12, number * (TILE + GAP) + TILE / 2, name, ha="right", va="center", fontsize=9)
    for word, colour, place in zip(LABELS, COLOURS, (0, EACH), strict=True):
        end = _left(place + EACH - 1) + TILE
        axes.plot([_left(place), end], [-7, -7], color=colour, linewidth=3, clip_on=False, solid_capstyle="butt")
        axes.text(_left(place), -14, word, color=colour, fontsize=13, fontweight="bold", va="bottom")
    axes.text(_left(2 * EACH - 1) + TILE, -14, note, ha="right", va="bottom", fontsize=9, color=GREY)
    axes.set(xlim=(0, width), ylim=(height, 0))
    save(figure, path)

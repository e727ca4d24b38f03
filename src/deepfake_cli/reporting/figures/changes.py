"""One face after each change at each strength: what the figures of robustness are about."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from deepfake_cli.corruptions import CHANGES, STRENGTHS, changed
from deepfake_cli.reporting.style import GREY, STYLE, save

TILE, GAP, CAPTION = 128, 6, 18  # pixels: an image, between two, the words beneath one
LEFT, TOP, DPI = 96, 44, 100


def changes_sheet(path: Path, image: np.ndarray, names: Sequence[str], seed: int = 0) -> None:
    """Draw a row for each change: the image as it is, then at strengths 1 to 5, as a PNG.

    Args:
        path: where to.
        image: uint8 RGB (size, size, 3), as the network gets it.
        names: of the changes.
        seed: of what they draw at random.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    across, down = TILE + GAP, TILE + GAP + CAPTION
    width, height = LEFT + across * (len(STRENGTHS) + 1), TOP + down * len(names)
    with rc_context(STYLE):
        figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, width), ylim=(height, 0))
        axes.set_axis_off()
        axes.imshow(_tiles(image, names, seed), extent=(LEFT, width, height, TOP), interpolation="none")
        for place, word in enumerate(("as it is", *(f"strength {strength}" for strength in STRENGTHS))):
            axes.text(LEFT + place * across + TILE / 2, TOP - 10, word, ha="center", weight="bold")
        for row, name in enumerate(names):
            top = TOP + row * down
            axes.text(LEFT - 10, top + TILE / 2, name, ha="right", va="center", weight="bold")
            for strength in STRENGTHS:
                middle = LEFT + strength * across + TILE / 2
                words = CHANGES[name].described(strength)
                axes.text(middle, top + TILE + 4, words, ha="center", va="top", size=8, color=GREY)
        axes.set(xlim=(0, width), ylim=(height, 0))
        save(figure, path)


def _tiles(image: np.ndarray, names: Sequence[str], seed: int) -> np.ndarray:
    """All tiles on white: uint8 RGB."""
    across, down = TILE + GAP, TILE + GAP + CAPTION
    sheet = np.full((down * len(names), across * (len(STRENGTHS) + 1), 3), 255, np.uint8)
    for row, name in enumerate(names):
        shown = [image, *(changed(image[None], name, strength, [0], seed)[0] for strength in STRENGTHS)]
        for column, each in enumerate(shown):
            way = cv2.INTER_AREA if each.shape[0] > TILE else cv2.INTER_NEAREST
            tile = cv2.resize(each, (TILE, TILE), interpolation=way)
            sheet[row * down :, column * across :][:TILE, :TILE] = tile
    return sheet

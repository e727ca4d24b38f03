"""One face after each corruption at each strength: the images that robustness is measured on."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deepfake_cli.corruptions import CHANGES, STRENGTHS, changed
from deepfake_cli.reporting.image_grid import Row, Tile, image_grid, save

SIDE = 128  # pixels of an image


def changes_sheet(path: Path, image: np.ndarray, names: Sequence[str], seed: int = 0) -> None:
    """Draw a row per corruption, as a PNG: the original image, then strengths 1 to 5.

    Args:
        path: of the PNG.
        image: uint8 RGB (size, size, 3), as the detector gets it.
        names: of the corruptions.
        seed: of what they draw at random.
    """
    headings = ["original", *(f"strength {strength}" for strength in STRENGTHS)]
    rows = [Row([Tile(image), *_corrupted(image, name, seed)], name) for name in names]
    save(path, image_grid(rows, SIDE, headings=headings))


def _corrupted(image: np.ndarray, name: str, seed: int) -> list[Tile]:
    return [
        Tile(changed(image[None], name, strength, [0], seed)[0], note=CHANGES[name].described(strength))
        for strength in STRENGTHS
    ]

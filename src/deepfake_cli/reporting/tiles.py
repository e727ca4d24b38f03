"""Faces side by side in one picture, each framed in the colour of its class and with a few words below it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np

from deepfake_cli.datasets.clip import LABELS
from deepfake_cli.reporting.style import COLOURS, GREY

COLUMNS = 4
SMALL = 96  # pixels: a smaller image is enlarged, without smoothing, so that words fit below it
GAP = 8  # pixels


class Tile(NamedTuple):
    """An image, RGB (size, size, 3) in 0..255, its label (fake = 1), and what is written below it."""

    image: np.ndarray
    label: int
    note: str
    name: str = ""


def grid(sections: Mapping[str, Sequence[Tile]], largest: int) -> np.ndarray:
    """Draw tiles of one size, a heading over each section of them: uint8 RGB (height, width, 3).

    A tile's frame and first line tell its class: by colours that colour-blind readers can tell apart, and by its word.

    Args:
        sections: headings to tiles; one tile at least in all.
        largest: side of the images, in pixels, above which they are made smaller.
    """
    from PIL import Image, ImageDraw

    tiles = [tile for section in sections.values() for tile in section]
    look = Look.of(_side(tiles[0].image.shape[0], largest))
    end = look.side + 2 * look.frame
    across, down = end + GAP, end + look.line * (2 if any(tile.name for tile in tiles) else 1) + GAP
    rows = sum(-(-len(section) // COLUMNS) for section in sections.values())
    width = GAP + across * min(COLUMNS, max(map(len, sections.values())))
    picture = Image.new("RGB", (width, GAP + rows * down + len(sections) * (look.line + GAP)), "white")
    draw, top = ImageDraw.Draw(picture), GAP
    for heading, section in sections.items():
        draw.text((GAP, top), _fitted(heading, look.font, width - 2 * GAP), "black", look.font)
        top += look.line + GAP
        for start in range(0, len(section), COLUMNS):
            for column, tile in enumerate(section[start : start + COLUMNS]):
                _draw(draw, picture, tile, look, (GAP + column * across, top))
            top += down
    return np.asarray(picture)


class Look(NamedTuple):
    """Sizes in pixels, and a font, in proportion to the images: TensorBoard shows a large picture smaller."""

    side: int
    frame: int
    line: int
    font: Any

    @classmethod
    def of(cls, side: int) -> "Look":
        """The look that suits images of a side."""
        from PIL import ImageFont

        return cls(side, side // 32, side // 7, ImageFont.load_default(side // 9 + 1))


def _side(size: int, largest: int) -> int:
    return largest if size > largest else size * -(-SMALL // size)


def _draw(draw: Any, picture: Any, tile: Tile, look: Look, corner: tuple[int, int]) -> None:
    from PIL import Image

    left, top = corner
    colour, end = COLOURS[tile.label], look.side + 2 * look.frame
    draw.rectangle((left, top, left + end - 1, top + end - 1), colour)
    picture.paste(Image.fromarray(_scaled(tile.image, look.side)), (left + look.frame, top + look.frame))
    draw.text((left, top + end), _fitted(f"{LABELS[tile.label]} {tile.note}", look.font, end), colour, look.font)
    draw.text((left, top + end + look.line), _fitted(tile.name, look.font, end), GREY, look.font)


def _scaled(image: np.ndarray, side: int) -> np.ndarray:
    pixels = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    return cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA if side < len(image) else cv2.INTER_NEAREST)


def _fitted(text: str, font: Any, width: int) -> str:
    """The text; one that is too long, such as a path, loses its beginning."""
    cut = text
    while cut and font.getlength(cut if cut == text else f"…{cut}") > width:
        cut = cut[1:]
    return text if cut == text else f"…{cut}"

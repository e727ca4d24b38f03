"""Images in rows and columns, with names, headings and captions: every sheet of images that the package draws.

Drawn with Pillow in DejaVu, which has the letters of most European languages.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from deepfake_cli import assets
from deepfake_cli.datasets.clip import LABELS
from deepfake_cli.reporting.style import COLOURS, GREY
from deepfake_cli.storage.files import whole

GAP = 8  # pixels between tiles and at the edges
COLUMNS = 4  # of a section
ENLARGED = 96  # pixels: smaller images of a section are enlarged, so that words fit below them
BLANK = 235  # grey level of a tile without an image
SMALLEST_FONT = 12  # pixels
LONGEST = 24  # letters of a row's name


class Tile(NamedTuple):
    """An image and what is written below it.

    Attributes:
        image: RGB or grey, (height, width, 3 or 1) in 0..255; scaled to fit the square. None leaves the square grey.
        label: 0 for real, 1 for fake: draws a frame in the colour of the class.
        note: first line below the image, after the name of the class; None for no line.
        name: second line below the image, in grey.
    """

    image: np.ndarray | None
    label: int | None = None
    note: str | None = None
    name: str = ""


class Row(NamedTuple):
    """Tiles side by side, None for an empty place; with an optional name and note on the left and a heading above."""

    tiles: Sequence[Tile | None]
    name: str = ""
    note: str = ""
    heading: str = ""


def image_grid(rows: Sequence[Row], side: int, *, headings: Sequence[str] = (), title: str = "") -> np.ndarray:
    """Draw rows of tiles: uint8 RGB (height, width, 3).

    Tiles of a class have a frame and a caption in its colour, and name it in words too.

    Args:
        rows: one or more; they may differ in length.
        side: of each image, in pixels.
        headings: of the columns, left to right.
        title: above all.
    """
    from PIL import Image, ImageDraw

    layout = _Layout.of([tile for row in rows for tile in row.tiles if tile], side)
    across, line = layout.outer + GAP, layout.line + GAP
    down = layout.outer + layout.captions * layout.line + GAP
    longest = max(layout.bold.getlength(text) for row in rows for text in (_shortened(row.name), _shortened(row.note)))
    left = GAP + (round(longest) + GAP if longest else 0)
    width = left + across * max(1, *(len(row.tiles) for row in rows))
    head = GAP + line * (bool(title) + bool(headings))
    picture = Image.new(
        "RGB", (width, head + down * len(rows) + line * sum(bool(row.heading) for row in rows)), "white"
    )
    draw = ImageDraw.Draw(picture)
    draw.text((GAP, GAP), _cut(title, layout.bold, width - 2 * GAP), "black", layout.bold)
    for column, heading in enumerate(headings):
        at = left + column * across + layout.outer // 2, head - GAP
        draw.text(at, _cut(heading, layout.bold, across), "black", layout.bold, anchor="mb")
    top = head
    for row in rows:
        if row.heading:
            draw.text((GAP, top), _cut(row.heading, layout.bold, width - 2 * GAP), "black", layout.bold)
            top += line
        middle = top + layout.outer // 2
        draw.text((left - GAP, middle), _shortened(row.name), "black", layout.bold, anchor="rb" if row.note else "rm")
        draw.text((left - GAP, middle + 2), _shortened(row.note), GREY, layout.font, anchor="rt")
        for column, tile in enumerate(row.tiles):
            if tile:
                _tile(picture, draw, tile, (left + column * across, top), layout)
        top += down
    return np.asarray(picture)


def grid(sections: Mapping[str, Sequence[Tile]], largest: int) -> np.ndarray:
    """Draw sections of tiles in `COLUMNS` columns, a heading above each: uint8 RGB (height, width, 3).

    Args:
        sections: headings to tiles; one tile or more in all.
        largest: side of the images, in pixels, above which they are shrunk.
    """
    size = next(tile.image.shape[0] for tiles in sections.values() for tile in tiles if tile.image is not None)
    rows = []
    for heading, tiles in sections.items():
        starts = range(0, max(1, len(tiles)), COLUMNS)
        rows += [Row(tiles[start : start + COLUMNS], heading="" if start else heading) for start in starts]
    return image_grid(rows, largest if size > largest else size * -(-ENLARGED // size))


def save(path: Path, image: np.ndarray) -> None:
    """Write an image, uint8 RGB (height, width, 3), as a PNG, whole or not at all."""
    from PIL import Image

    with whole(path) as partial:
        # The default level, 6, takes twice the time, for files that are 3 % smaller.
        Image.fromarray(image).save(partial, format="PNG", compress_level=4)


class _Layout(NamedTuple):
    """Sizes in pixels, and fonts; they grow with the images, since viewers shrink large pictures."""

    side: int
    frame: int
    captions: int  # lines below an image
    line: int
    font: Any
    bold: Any

    @classmethod
    def of(cls, tiles: Sequence[Tile], side: int) -> "_Layout":
        size = max(SMALLEST_FONT, side // 12)
        frame = max(2, side // 32) if any(tile.label is not None for tile in tiles) else 0
        captions = 2 if any(tile.name for tile in tiles) else int(any(tile.note is not None for tile in tiles))
        return cls(side, frame, captions, round(1.4 * size), _font(assets.SANS, size), _font(assets.BOLD, size))

    @property
    def outer(self) -> int:
        """Side of an image with its frame."""
        return self.side + 2 * self.frame


def _tile(picture: Any, draw: Any, tile: Tile, at: tuple[int, int], layout: _Layout) -> None:
    from PIL import Image

    (left, top), end, below = at, layout.outer, at[1] + layout.outer + 2
    colour, word = (GREY, "") if tile.label is None else (COLOURS[tile.label], LABELS[tile.label])
    if tile.label is not None:
        draw.rectangle((left, top, left + end - 1, top + end - 1), colour)
    picture.paste(Image.fromarray(_fitted(tile.image, layout.side)), (left + layout.frame, top + layout.frame))
    if tile.note is not None:
        draw.text((left, below), _cut(f"{word} {tile.note}".strip(), layout.font, end), colour, layout.font)
    draw.text((left, below + layout.line), _cut(tile.name, layout.font, end), GREY, layout.font)


def _fitted(image: np.ndarray | None, side: int) -> np.ndarray:
    """An image, whole, in the middle of a square: uint8 RGB (side, side, 3)."""
    square = np.full((side, side, 3), BLANK, np.uint8)
    if image is None:
        return square
    scale = side / max(image.shape[:2])
    height, width = (max(1, round(scale * length)) for length in image.shape[:2])
    pixels = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    if scale != 1:  # by area: enlarged pixels stay visible, and shrinking does not alias
        pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA).reshape(height, width, -1)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = pixels
    return square


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST else "…" + name[1 - LONGEST :]


def _cut(text: str, font: Any, width: int) -> str:
    """The text; one that is too long, such as a path, loses its beginning."""
    cut = text
    while cut and font.getlength(cut if cut == text else f"…{cut}") > width:
        cut = cut[1:]
    return text if cut == text else f"…{cut}"


@cache
def _font(file: Path, size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(file, size)

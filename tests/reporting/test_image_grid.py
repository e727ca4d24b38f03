"""The one image grid: tiles keep their pixels and places, frames name the class."""

import numpy as np
import pytest

from deepfake_cli.media.image import read_image
from deepfake_cli.reporting.image_grid import BLANK, GAP, Row, Tile, grid, image_grid, save
from deepfake_cli.reporting.style import COLOURS

SIDE = 64


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE, 3), dtype=np.uint8)


def placed(picture, row, column, rows, columns):
    """The image at a place of a grid without captions and frames, counted from the lower right corner."""
    step = SIDE + GAP
    return picture[(row - rows) * step :, (column - columns) * step :][:SIDE, :SIDE]


@pytest.mark.parametrize("names", [("", ""), ("a group", "another with a very long name, which is cut")])
@pytest.mark.parametrize("headings", [(), ("before", "after")])
def test_tiles_keep_their_pixels_and_places(images, names, headings):
    rows = [Row([Tile(images[2 * number]), Tile(images[2 * number + 1])], name) for number, name in enumerate(names)]
    picture = image_grid(rows, SIDE, headings=headings, title="title")
    assert picture.dtype == np.uint8
    for number in range(4):
        assert np.array_equal(placed(picture, number // 2, number % 2, 2, 2), images[number])


def test_missing_and_grey_images(images):
    rows = [Row([None, Tile(None), Tile(images[0][..., :1].astype("float32"))])]
    picture = image_grid(rows, SIDE)
    empty, blank, grey = (placed(picture, 0, column, 1, 3) for column in range(3))
    assert (empty == 255).all() and (blank == BLANK).all()
    assert np.array_equal(grey, np.repeat(images[0][..., :1], 3, axis=2))


def test_images_are_scaled_whole_to_the_square(images):
    wide = images[0][: SIDE // 2]
    tile = placed(image_grid([Row([Tile(wide)])], SIDE), 0, 0, 1, 1)
    assert np.array_equal(tile[SIDE // 4 : -SIDE // 4], wide)
    assert (tile[: SIDE // 4] == BLANK).all() and (tile[-SIDE // 4 :] == BLANK).all()


@pytest.mark.parametrize("label", [0, 1])
def test_frame_has_the_colour_of_the_class(images, label):
    picture = grid({"a section": [Tile(image, label, "0.912", "video") for image in images]}, largest=256)
    colour = tuple(bytes.fromhex(COLOURS[label][1:]))
    other = tuple(bytes.fromhex(COLOURS[1 - label][1:]))
    assert (picture == colour).all(axis=-1).sum() > 4 * 4 * SIDE
    assert not (picture == other).all(axis=-1).any()


def test_section_is_shrunk_and_enlarged_to_a_legible_size(images):
    small, large = (grid({"one": [Tile(images[0][:size, :size])]}, largest) for size, largest in ((32, 256), (64, 48)))
    assert small.shape[1] >= 96 and large.shape[1] < 96


def test_saved_grid_is_read_again(images, tmp_path):
    picture = image_grid([Row([Tile(images[0])])], SIDE)
    save(tmp_path / "grid.png", picture)
    assert np.array_equal(read_image(tmp_path / "grid.png")[..., ::-1], picture)

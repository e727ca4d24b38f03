"""Where in a crop the face is, and soft masks of random shape on it.

A crop is a square of `margin` longer sides of the face's box round the box's centre (`deepfake_cli.faces.crop`), and a box
is higher than wide, so the face fills the middle ``1 / margin`` of the rows. Lengths here are in half heights of the box.
"""

from typing import Any, NamedTuple

import numpy as np
from keras import ops

from deepfake_cli.forgery.chance import Chance
from deepfake_cli.forgery.resample import separable

WIDE = 0.74  # half width of a face
REACH = 1.06, 0.88  # half height and half width of the part of the crop that is worked on: no mask goes beyond
BELOW_EYES = 0.2  # from between the eyes to the middle of the face
EDGE = 0.08  # over this length a mask fades where it would leave the worked part
CELL = 4  # pixels a cell of the mask, which is drawn small and blown up smoothly


class Window(NamedTuple):
    """The part of a crop that is worked on, in pixels, and half the height of a face."""

    top: int
    left: int
    height: int
    width: int
    half: float

    @classmethod
    def of(cls, size: int, margin: float) -> "Window":
        """The window of crops of `size` pixels and this margin."""
        half = size / margin / 2
        height, width = (2 * CELL * min(size // CELL // 2, round(half * reach / CELL)) for reach in REACH)
        return cls((size - height) // 2, (size - width) // 2, height, width, half)

    def cut(self, images: Any) -> Any:
        """This part of images (batch, size, size, channels)."""
        return images[:, self.top : self.top + self.height, self.left : self.left + self.width]


def mask(window: Window, size: int, chance: Chance, *, elastic: float, cuts: bool, eyes: Any = None) -> Any:
    """Draw soft masks: an egg, random in size, fullness, chin and edge, its outline bent; some cut off by a line.

    Args:
        window: where to.
        size: side of the crop, in pixels.
        chance: where the parameters come from.
        elastic: most that the outline is bent, in half heights of the face.
        cuts: cut some off above the brows, the eyes or the nose, or below the nose or the mouth, askew.
        eyes: see `centred`.

    Returns:
        Planes (batch, 1, window.height, window.width) in 0..1, 0 at the window's border.
    """
    x, y = _grid(window)
    fade = ops.clip(ops.minimum(_edge(y, window.height, window), _edge(x, window.width, window)), 0.0, 1.0)
    u, v = centred(x, y, window, size, eyes)
    u, v = u + _bent(window, chance, elastic), v + _bent(window, chance, elastic)
    depth = _egg(u, v, chance)
    if cuts:
        depth = ops.minimum(depth, _side(u, v, chance))
    soft = _smooth(ops.clip(depth / chance.uniform(0.15, 0.5), 0.0, 1.0)) * _smooth(fade)
    return separable(soft[:, None], _blow(window.height, soft.shape[1]), _blow(window.width, soft.shape[2]))


def centred(x: Any, y: Any, window: Window, size: int, eyes: Any) -> tuple[Any, Any]:
    """Coordinates from the middle of the face, along the line of its eyes and down from it.

    Args:
        x: from the middle of the crop, in half heights of the face.
        y: likewise, downwards.
        window: the part of the crop that is worked on.
        size: side of the crop, in pixels.
        eyes: x and y of the right eye, then of the left one, (batch, 4), in sides of the crop; NaN where they are not known.
            None if nobody's are: then the face is upright in the middle.
    """
    if eyes is None:
        return x, y
    eyes = ops.cast(eyes, "float32")
    known = ops.all(ops.isfinite(eyes), axis=-1)[:, None, None]
    place = ops.reshape((ops.nan_to_num(eyes) - 0.5) * (size / window.half), (-1, 4, 1, 1))
    across, down = place[:, 2] - place[:, 0], place[:, 3] - place[:, 1]
    tilt = ops.where(known, ops.arctan2(down, across + 1e-6), 0.0)
    cosine, sine = ops.cos(tilt), ops.sin(tilt)
    x = x - ops.where(known, (place[:, 0] + place[:, 2]) / 2 - BELOW_EYES * sine, 0.0)
    y = y - ops.where(known, (place[:, 1] + place[:, 3]) / 2 + BELOW_EYES * cosine, 0.0)
    return cosine * x + sine * y, cosine * y - sine * x


def _grid(window: Window) -> tuple[np.ndarray, np.ndarray]:
    """The mask's cells: x (1, 1, columns) and y (1, rows, 1) from the middle, in half heights of the face."""
    columns, rows = ((np.arange(side // CELL) + 0.5) * (side / (side // CELL)) - side / 2 for side in window[3:1:-1])
    return (columns / window.half).astype("float32")[None, None], (rows / window.half).astype("float32")[None, :, None]


def _edge(place: np.ndarray, side: int, window: Window) -> np.ndarray:
    """How far from the window's border, in `EDGE`; a cell less, since blowing up spreads."""
    return ((side / 2 - 1.5 * CELL) / window.half - np.abs(place)) / EDGE


def _bent(window: Window, chance: Chance, most: float) -> Any:
    """A smooth random field over the cells, (batch, rows, columns), within -most..most: 5 x 5 numbers, blown up."""
    field = chance.off(most, (1, 5, 5))
    return separable(field, _blow(window.height // CELL, 5), _blow(window.width // CELL, 5))[:, 0]


def _egg(u: Any, v: Any, chance: Chance) -> Any:
    """How deep inside of the outline, (batch, rows, columns); below 0 outside."""
    narrow = 1.0 - chance.uniform(0.1, 0.45) * ops.relu(v)  # towards the chin
    u = u / (chance.uniform(0.8, 1.0) * WIDE * ops.maximum(narrow, 0.3))
    v = v / chance.uniform(0.8, 0.98)
    power = chance.uniform(2.0, 2.4)
    return 1.0 - ops.power(ops.power(ops.abs(u) + 1e-6, power) + ops.power(ops.abs(v) + 1e-6, power), 1.0 / power)


def _side(u: Any, v: Any, chance: Chance) -> Any:
    """How far on the kept side of a line askew, above or below the middle; two in five masks are left whole."""
    upwards = ops.sign(chance.off(1.0) + 0.3)  # rather cut above, where hair begins, than below
    distance = chance.uniform(0.1, 0.6) + 9.0 * ops.cast(chance.uniform() < 0.4, "float32")
    angle = chance.off(0.5)
    return distance + upwards * (v * ops.cos(angle) + u * ops.sin(angle))


def _smooth(share: Any) -> Any:
    """0..1 to 0..1, level at both ends."""
    return share * share * (3.0 - 2.0 * share)


def _blow(count: int, size: int) -> np.ndarray:
    """A matrix (1, count, size) that enlarges without corners: weights of the quadratic B-spline."""
    where = (np.arange(count)[:, None] + 0.5) * size / count - 0.5
    distance = np.abs(np.clip(where, 0, size - 1) - np.arange(size))
    weights = np.where(distance < 0.5, 0.75 - distance**2, np.clip(1.5 - distance, 0, None) ** 2 / 2)
    return (weights / weights.sum(1, keepdims=True)).astype("float32")[None]

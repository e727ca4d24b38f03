"""The region of the face in a crop, and soft random masks on it.

A crop is a square around the centre of the face's box, with a side of `margin` longer sides of the box
(`deepfake_cli.faces.crop`). A box is higher than wide, so the face fills the middle ``1 / margin`` of the rows. Lengths are in
half heights of the box.
"""

from typing import Any, NamedTuple

import numpy as np
from keras import ops

from deepfake_cli.forgery.chance import Chance
from deepfake_cli.forgery.resample import separable

WIDE = 0.74  # half width of a face
REACH = 1.06, 0.88  # half height and half width of the window, which no mask leaves
BELOW_EYES = 0.2  # distance of the face's middle below the eyes
EDGE = 0.08  # length over which a mask fades out at the window's border
CELL = 4  # pixels per cell of the mask, which is drawn small and enlarged smoothly


class Window(NamedTuple):
    """The part of a crop that may be forged, in pixels, and half the height of the face."""

    top: int
    left: int
    height: int
    width: int
    half: float

    @classmethod
    def of(cls, size: int, margin: float) -> "Window":
        """The window of crops with this side in pixels and this margin."""
        half = size / margin / 2
        height, width = (2 * CELL * min(size // CELL // 2, round(half * reach / CELL)) for reach in REACH)
        return cls((size - height) // 2, (size - width) // 2, height, width, half)

    def cut(self, images: Any) -> Any:
        """The window of images (batch, size, size, channels)."""
        return images[:, self.top : self.top + self.height, self.left : self.left + self.width]


def mask(window: Window, size: int, chance: Chance, *, elastic: float, cuts: bool, eyes: Any = None) -> Any:
    """Draw soft masks: ovals of random size, shape, chin and edge, with a distorted outline; some are cut off at a line.

    Args:
        window: of the crops.
        size: side of the crop, in pixels.
        chance: source of the random parameters.
        elastic: largest distortion of the outline, in half heights of the face.
        cuts: cut some off at an oblique line above the brows, eyes or nose, or below the nose or mouth.
        eyes: see `centred`.

    Returns:
        Planes (batch, 1, window.height, window.width) in 0..1, 0 at the window's border.
    """
    x, y = _grid(window)
    fade = ops.clip(ops.minimum(_edge(y, window.height, window), _edge(x, window.width, window)), 0.0, 1.0)
    u, v = centred(x, y, window, size, eyes)
    u, v = u + _distortion(window, chance, elastic), v + _distortion(window, chance, elastic)
    depth = _oval(u, v, chance)
    if cuts:
        depth = ops.minimum(depth, _cut(u, v, chance))
    soft = _smooth(ops.clip(depth / chance.uniform(0.15, 0.5), 0.0, 1.0)) * _smooth(fade)
    return separable(soft[:, None], _enlarge(window.height, soft.shape[1]), _enlarge(window.width, soft.shape[2]))


def centred(x: Any, y: Any, window: Window, size: int, eyes: Any) -> tuple[Any, Any]:
    """Coordinates relative to the middle of the face, along the line of the eyes and down from it.

    Args:
        x: from the middle of the crop, in half heights of the face.
        y: likewise, downwards.
        window: of the crops.
        size: side of the crop, in pixels.
        eyes: x and y of the right eye, then of the left one, (batch, 4), in sides of the crop; NaN if unknown. Without them
            (None or NaN) the face is assumed upright in the middle.
    """
    if eyes is None:
        return x, y
    eyes = ops.cast(eyes, "float32")
    known = ops.all(ops.isfinite(eyes), axis=-1)[:, None, None]
    position = ops.reshape((ops.nan_to_num(eyes) - 0.5) * (size / window.half), (-1, 4, 1, 1))
    across, down = position[:, 2] - position[:, 0], position[:, 3] - position[:, 1]
    tilt = ops.where(known, ops.arctan2(down, across + 1e-6), 0.0)
    cosine, sine = ops.cos(tilt), ops.sin(tilt)
    x = x - ops.where(known, (position[:, 0] + position[:, 2]) / 2 - BELOW_EYES * sine, 0.0)
    y = y - ops.where(known, (position[:, 1] + position[:, 3]) / 2 + BELOW_EYES * cosine, 0.0)
    return cosine * x + sine * y, cosine * y - sine * x


def _grid(window: Window) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of the mask's cells from the middle: x (1, 1, columns) and y (1, rows, 1), in half heights of the face."""
    columns, rows = ((np.arange(side // CELL) + 0.5) * (side / (side // CELL)) - side / 2 for side in window[3:1:-1])
    return (columns / window.half).astype("float32")[None, None], (rows / window.half).astype("float32")[None, :, None]


def _edge(position: np.ndarray, side: int, window: Window) -> np.ndarray:
    """Distance from the window's border, in `EDGE`, less 1.5 cells, since enlarging spreads the mask."""
    return ((side / 2 - 1.5 * CELL) / window.half - np.abs(position)) / EDGE


def _distortion(window: Window, chance: Chance, most: float) -> Any:
    """A smooth random field over the cells, (batch, rows, columns) in -most..most: 5 x 5 numbers, enlarged."""
    field = chance.off(most, (1, 5, 5))
    return separable(field, _enlarge(window.height // CELL, 5), _enlarge(window.width // CELL, 5))[:, 0]


def _oval(u: Any, v: Any, chance: Chance) -> Any:
    """Depth inside an oval, (batch, rows, columns); negative outside."""
    narrow = 1.0 - chance.uniform(0.1, 0.45) * ops.relu(v)  # towards the chin
    u = u / (chance.uniform(0.8, 1.0) * WIDE * ops.maximum(narrow, 0.3))
    v = v / chance.uniform(0.8, 0.98)
    power = chance.uniform(2.0, 2.4)
    return 1.0 - ops.power(ops.power(ops.abs(u) + 1e-6, power) + ops.power(ops.abs(v) + 1e-6, power), 1.0 / power)


def _cut(u: Any, v: Any, chance: Chance) -> Any:
    """Distance on the kept side of an oblique line, above or below the middle; two in five masks are not cut."""
    upwards = ops.sign(chance.off(1.0) + 0.3)  # more often cut above, at the hair, than below
    distance = chance.uniform(0.1, 0.6) + 9.0 * ops.cast(chance.uniform() < 0.4, "float32")
    angle = chance.off(0.5)
    return distance + upwards * (v * ops.cos(angle) + u * ops.sin(angle))


def _smooth(share: Any) -> Any:
    """Smoothstep, from 0..1 to 0..1."""
    return share * share * (3.0 - 2.0 * share)


def _enlarge(count: int, size: int) -> np.ndarray:
    """A matrix (1, count, size) that enlarges smoothly, with weights of the quadratic B-spline."""
    where = (np.arange(count)[:, None] + 0.5) * size / count - 0.5
    distance = np.abs(np.clip(where, 0, size - 1) - np.arange(size))
    weights = np.where(distance < 0.5, 0.75 - distance**2, np.clip(1.5 - distance, 0, None) ** 2 / 2)
    return (weights / weights.sum(1, keepdims=True)).astype("float32")[None]

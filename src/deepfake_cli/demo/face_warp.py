"""Face warping artefacts on one frame: downscale a real face to the output size of a swap network, then upscale it.

A face swap network outputs a small face of fixed size, which an affine map fits into the frame. The artefacts (a face less sharp
than its surroundings, behind a soft edge) are made here without a network, on one frame, with NumPy and OpenCV. Source: the idea
of Li and Lyu, "Exposing DeepFake Videos By Detecting Face Warping Artifacts", CVPR Workshops 2019; written from the paper, not
from its code. `deepfake_cli.forgery` warps batches of crops as Keras layers; the demo set is made without Keras.
"""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]
Box = tuple[float, float, float, float]

MOST_OF_FACE = 0.5  # largest scale of the small face: a face smaller than the network output must lose detail too
MARGIN = 1.2  # side of the small image, in sides of the box: rotation and shift bring in real pixels


@dataclass(frozen=True)
class Warp:
    """Parameters of one video, drawn once per clip: the artefacts of a swap network are the same in every frame.

    Attributes:
        side: side of the small face, in pixels (geometric mean of width and height).
        blur: standard deviation of the Gaussian on the small face, in its pixels.
        angle: rotation of the pasted face, in degrees, counter-clockwise.
        scale: its size, 1 for the original's.
        shift: its displacement (x, y), in sides of the box.
        radii: half axes of the mask (x, y), in half sides of the box, at most 1.
        power: exponent of the mask's outline: 2 is an ellipse, more is fuller.
        feather: share of the radius over which the mask fades out, above 0.
        gain: factors on blue, green and red.
    """

    side: float
    blur: float
    angle: float
    scale: float
    shift: tuple[float, float]
    radii: tuple[float, float]
    power: float
    feather: float
    gain: tuple[float, float, float]

    @classmethod
    def draw(cls, rng: np.random.Generator, *, strength: float = 1.0) -> Self:
        """Draw the parameters of one video.

        Args:
            rng: random generator.
            strength: above 0; 1 is like a network of 64 to 128 pixels, 2 is obvious, 0.5 is hard to see.
        """

        def off(most: float) -> float:
            return strength * rng.uniform(-most, most)

        return cls(
            side=rng.uniform(72, 128) / strength,
            blur=strength * rng.uniform(0.3, 0.6),
            angle=off(1.5),
            scale=1 + off(0.02),
            shift=(off(0.01), off(0.01)),
            radii=(rng.uniform(0.9, 1.0), rng.uniform(0.85, 0.97)),
            power=rng.uniform(2, 2.5),
            feather=rng.uniform(0.2, 0.35),
            gain=(1 + off(0.03), 1 + off(0.03), 1 + off(0.03)),
        )


def warp_face(image: Image, box: Box, *, warp: Warp) -> Image:
    """Fake the face in `box`.

    Args:
        image: uint8 BGR of shape (height, width, 3); not modified.
        box: edges of the face (x0, y0, x1, y1), in pixels; may be outside the image.
        warp: parameters of the video.

    Returns:
        A new image of the same shape and type, equal to `image` wherever `mask` is 0: everywhere, if the box is outside
        or has no area.
    """
    forged = image.copy()
    rows, columns = _region(box, image.shape)
    if forged[rows, columns].size:
        real = forged[rows, columns].astype(np.float32)
        fake = _blown_up(_shrunk(image, box, warp), box, warp, rows, columns)
        alpha = _ellipse(box, warp, rows, columns)[..., None]
        forged[rows, columns] = np.rint(real + alpha * (fake - real)).astype(np.uint8)
    return forged


def mask(shape: tuple[int, ...], box: Box, warp: Warp) -> Plane:
    """The blending mask of `warp_face`: float32 of shape (height, width), 0 for the frame, 1 for the fake.

    Args:
        shape: of the image, height and width first.
        box: as in `warp_face`.
        warp: as in `warp_face`.
    """
    plane = np.zeros(shape[:2], np.float32)
    rows, columns = _region(box, shape)
    if plane[rows, columns].size:
        plane[rows, columns] = _ellipse(box, warp, rows, columns)
    return plane


def _region(box: Box, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of the image inside the box; empty slices if there are none."""
    x0, y0, x1, y1 = box
    if not (np.isfinite(box).all() and x1 > x0 and y1 > y0):
        return slice(0, 0), slice(0, 0)
    left, right = np.clip([np.floor(x0), np.ceil(x1)], 0, shape[1]).astype(int)
    top, bottom = np.clip([np.floor(y0), np.ceil(y1)], 0, shape[0]).astype(int)
    return slice(int(top), int(bottom)), slice(int(left), int(right))


def _ellipse(box: Box, warp: Warp, rows: slice, columns: slice) -> Plane:
    """The soft mask over these rows and columns: 1 inside, falling smoothly to 0 at the outline."""
    x0, y0, x1, y1 = box
    dx = (np.arange(columns.start, columns.stop) + 0.5 - (x0 + x1) / 2) / (warp.radii[0] * (x1 - x0) / 2)
    dy = (np.arange(rows.start, rows.stop) + 0.5 - (y0 + y1) / 2) / (warp.radii[1] * (y1 - y0) / 2)
    radius = (np.abs(dx)[None, :] ** warp.power + np.abs(dy)[:, None] ** warp.power) ** (1 / warp.power)
    depth = np.clip((1 - radius) / warp.feather, 0, 1)
    return (depth * depth * (3 - 2 * depth)).astype(np.float32)


def _shrunk(image: Image, box: Box, warp: Warp) -> Plane:
    """The face as a network would output it: small, smooth, colours slightly off; float32, 0 to 255."""
    factor = _factor(box, warp)
    width, height = _size(box, factor)
    finer = int(np.ceil(1 / factor))  # sample at about the resolution of the image, then average, to avoid aliasing
    matrix = _onto(box, factor * finer, (width * finer, height * finer))
    fine = cv2.warpAffine(image, matrix, (width * finer, height * finer), borderMode=cv2.BORDER_REPLICATE)
    small = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(small.astype(np.float32), (0, 0), warp.blur, borderType=cv2.BORDER_REPLICATE)
    return np.clip(smooth * np.array(warp.gain, np.float32), 0, 255)


def _blown_up(small: Plane, box: Box, warp: Warp, rows: slice, columns: slice) -> Plane:
    """The small face upscaled to its place in the frame, cropped to these rows and columns; float32, 0 to 255."""
    x0, y0, x1, y1 = box
    dx, dy = warp.shift[0] * (x1 - x0), warp.shift[1] * (y1 - y0)
    moved = (x0 + dx, y0 + dy, x1 + dx, y1 + dy)
    matrix = _onto(moved, _factor(box, warp) / warp.scale, small.shape[1::-1], -warp.angle)
    matrix[:, 2] += matrix[:, :2] @ (columns.start, rows.start)
    size = columns.stop - columns.start, rows.stop - rows.start
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.clip(cv2.warpAffine(small, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), 0, 255)


def _factor(box: Box, warp: Warp) -> float:
    """Scale of the small face: its pixels per pixel of the frame."""
    x0, y0, x1, y1 = box
    return min(MOST_OF_FACE, warp.side / float(np.sqrt((x1 - x0) * (y1 - y0))))


def _size(box: Box, factor: float) -> tuple[int, int]:
    """Width and height of the small image, in pixels."""
    x0, y0, x1, y1 = box
    return int(np.ceil(MARGIN * factor * (x1 - x0))), int(np.ceil(MARGIN * factor * (y1 - y0)))


def _onto(box: Box, factor: float, size: tuple[int, ...], angle: float = 0.0) -> npt.NDArray[np.float64]:
    """The affine map, shape (2, 3), from the frame to an image of this size with the box in its centre."""
    x0, y0, x1, y1 = box
    centre = (x0 + x1 - 1) / 2, (y0 + y1 - 1) / 2  # from edges to pixel centres
    matrix = cv2.getRotationMatrix2D(centre, angle, factor)
    matrix[:, 2] += (size[0] - 1) / 2 - centre[0], (size[1] - 1) / 2 - centre[1]
    return matrix

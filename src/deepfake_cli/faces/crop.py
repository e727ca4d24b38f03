"""Square crops round a face."""

from math import atan2, degrees

import cv2
import numpy as np

from deepfake_cli.faces.box import Box


def crop(image: np.ndarray, box: Box, *, margin: float, size: int, align: bool = False) -> np.ndarray:
    """Cut a square round `box` out of `image` and scale it.

    With a manifest's box, ``crop(image, Box.parse(row["box"]), …)`` makes from the frames of ``--crop none`` what
    ``--crop face`` would have written.

    Args:
        image: uint8 (height, width, 3).
        box: the face, in pixels of `image`.
        margin: side of the square, in longer sides of the box.
        size: side of the result, in pixels.
        align: turn the square about its centre until the eyes are level; a box without eyes is cut upright.

    Returns:
        uint8 (size, size, 3). What lies outside the image repeats its border.
    """
    left, top, side = square_of(box, margin)
    tilt = tilt_of(box) if align else 0.0
    square = _turned(image, left, top, side, tilt) if tilt else _upright(image, left, top, side)
    shrink = (
        cv2.INTER_AREA if side > 2 * size else cv2.INTER_LINEAR
    )  # below half, detail would alias; it costs 6 times as much
    return cv2.resize(square, (size, size), interpolation=shrink)


def square_of(box: Box, margin: float) -> tuple[int, int, int]:
    """The square that `crop` cuts, before it is turned: its left and upper edge and its side, in pixels."""
    side = max(2, round(margin * max(box.x1 - box.x0, box.y1 - box.y0)))
    return round((box.x0 + box.x1 - side) / 2), round((box.y0 + box.y1 - side) / 2), side


def tilt_of(box: Box) -> float:
    """Degrees by which the line of the eyes falls to the right; 0 where the eyes are not known."""
    if box.eyes is None:
        return 0.0
    x0, y0, x1, y1 = box.eyes
    return degrees(atan2(y1 - y0, x1 - x0))


def _upright(image: np.ndarray, left: int, top: int, side: int) -> np.ndarray:
    height, width = image.shape[:2]
    inside = image[max(0, top) : min(height, top + side), max(0, left) : min(width, left + side)]
    outside = max(0, -top), max(0, top + side - height), max(0, -left), max(0, left + side - width)
    return cv2.copyMakeBorder(inside, *outside, borderType=cv2.BORDER_REPLICATE) if any(outside) else inside


def _turned(image: np.ndarray, left: int, top: int, side: int, tilt: float) -> np.ndarray:
    centre = (side - 1) / 2
    turn = cv2.getRotationMatrix2D((left + centre, top + centre), tilt, 1.0)
    turn[:, 2] -= left, top
    return cv2.warpAffine(image, turn, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

"""Square face crops."""

from math import atan2, degrees
from pathlib import Path

import cv2
import numpy as np

from deepfake_cli.faces.box import Box
from deepfake_cli.media.image import load_existing


def crop(
    image: np.ndarray | str | Path, box: Box, *, margin: float, size: int, align: bool = False, resize: str = "linear"
) -> np.ndarray:
    """Cut a square around `box` out of `image` and resize it.

    Applied to a frame of ``--crop none`` with ``Box.parse(row["box"])`` from the manifest, it gives the crop of ``--crop face``.

    Args:
        image: uint8 (height, width, 3), in any order of colours; or the path of an image, read as BGR.
        box: the face, in pixels of `image`.
        margin: side of the square, relative to the longer side of the box.
        size: side of the result, in pixels.
        align: rotate the square until the eyes are level; without effect if the box has no eyes.
        resize: "linear", by the mean of areas where it shrinks to less than half; or "bicubic", as Pillow does.

    Returns:
        uint8 (size, size, 3). Pixels outside the image repeat its border.

    Raises:
        FileNotFoundError: there is no such image.
        VideoError: the image cannot be decoded.
    """
    if isinstance(image, (str, Path)):
        image = load_existing(Path(image))
    left, top, side = square_of(box, margin)
    tilt = tilt_of(box) if align else 0.0
    square = _turned(image, left, top, side, tilt) if tilt else _upright(image, left, top, side)
    if resize == "bicubic":
        from PIL import Image

        return np.asarray(Image.fromarray(square).resize((size, size), Image.Resampling.BICUBIC))
    shrink = (
        cv2.INTER_AREA if side > 2 * size else cv2.INTER_LINEAR
    )  # INTER_AREA avoids aliasing, but takes 6 times as long
    return cv2.resize(square, (size, size), interpolation=shrink)


def square_of(box: Box, margin: float) -> tuple[int, int, int]:
    """Left edge, top edge and side of the square that `crop` cuts, before rotation, in pixels."""
    side = max(2, round(margin * max(box.x1 - box.x0, box.y1 - box.y0)))
    return round((box.x0 + box.x1 - side) / 2), round((box.y0 + box.y1 - side) / 2), side


def tilt_of(box: Box) -> float:
    """Angle of the line through the eyes, in degrees, positive if it falls to the right; 0 if the eyes are unknown."""
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

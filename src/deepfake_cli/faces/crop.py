"""Square crops round a face."""

import cv2
import numpy as np

from deepfake_cli.faces.box import Box


def crop(image: np.ndarray, box: Box, *, margin: float, size: int) -> np.ndarray:
    """Cut a square round `box` out of `image` and scale it.

    Args:
        image: uint8 (height, width, 3).
        box: the face, in pixels of `image`.
        margin: side of the square, in longer sides of the box.
        size: side of the result, in pixels.

    Returns:
        uint8 (size, size, 3). What lies outside the image repeats its border.
    """
    height, width = image.shape[:2]
    side = max(2, round(margin * max(box.x1 - box.x0, box.y1 - box.y0)))
    left, top = round((box.x0 + box.x1 - side) / 2), round((box.y0 + box.y1 - side) / 2)
    inside = image[max(0, top) : min(height, top + side), max(0, left) : min(width, left + side)]
    outside = max(0, -top), max(0, top + side - height), max(0, -left), max(0, left + side - width)
    if any(outside):
        inside = cv2.copyMakeBorder(inside, *outside, borderType=cv2.BORDER_REPLICATE)
    shrink = (
        cv2.INTER_AREA if side > 2 * size else cv2.INTER_LINEAR
    )  # below half, detail would alias; it costs 6 times as much
    return cv2.resize(inside, (size, size), interpolation=shrink)

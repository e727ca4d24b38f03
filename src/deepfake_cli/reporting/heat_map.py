"""Draw a heat map over an image."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def overlay(image: NDArray[np.uint8], heat: NDArray[Any]) -> NDArray[np.uint8]:
    """Return an image in grey with a heat map on it, in inferno, whose lightness rises evenly from black to yellow.

    Args:
        image: (rows, columns, 3), BGR.
        heat: (any rows, any columns), in 0..1; stretched over the image.

    Returns:
        (rows, columns, 3), BGR.
    """
    rows, columns = image.shape[:2]
    large = cv2.resize(np.asarray(heat, np.float32), (columns, rows), interpolation=cv2.INTER_LINEAR)
    colours = cv2.applyColorMap(np.uint8(255 * np.clip(large, 0, 1)), cv2.COLORMAP_INFERNO)
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return np.asarray(cv2.addWeighted(grey, 0.45, colours, 0.55, 0), np.uint8)

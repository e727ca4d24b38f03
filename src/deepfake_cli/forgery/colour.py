"""Random changes of colour and light, as one small matrix per image."""

from typing import Any

import numpy as np
from keras import ops

from deepfake_cli.forgery.chance import Chance

LUMA = np.array([0.299, 0.587, 0.114], "float32")  # ITU-R BT.601
ROUND_GREY = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], "float32") / np.sqrt(3, dtype="float32")
MIDDLE = 127.5

HUE = 0.14  # rotation about the grey axis, in radians
SATURATION, GAIN = 0.3, 0.05  # relative changes of saturation, and of each channel
CONTRAST, BRIGHTNESS = 0.15, 10.0  # relative change, pixel values


def tinted(picture: Any, chance: Chance, amount: Any) -> Any:
    """Change hue, saturation and colour balance at random.

    Args:
        picture: planes (batch, 3, rows, columns), RGB in 0..255.
        chance: source of the random parameters.
        amount: 0 for no change, 1 for the difference between two cameras: a number or (batch, 1, 1).

    Returns:
        Planes of the same shape; values may leave 0..255.
    """
    grey, unit = np.tile(LUMA, (3, 1)), np.eye(3, dtype="float32")
    colour = (1.0 + amount * chance.off(SATURATION)) * (unit + amount * chance.off(HUE) * ROUND_GREY - grey)
    gain = 1.0 + amount * chance.off(GAIN, (3, 1))
    return mixed(picture, gain * (grey + colour))


def lit(picture: Any, chance: Chance, amount: Any) -> Any:
    """Change contrast and brightness at random; arguments and result as of `tinted`."""
    contrast = ops.expand_dims(1.0 + amount * chance.off(CONTRAST), -1)
    brightness = ops.expand_dims(amount * chance.off(BRIGHTNESS), -1)
    return picture * contrast + (MIDDLE * (1.0 - contrast) + brightness)


def mixed(picture: Any, matrix: Any) -> Any:
    """Multiply the colours of planes by a matrix, (3, 3) or (batch, 3, 3)."""
    _, channels, height, width = picture.shape
    flat = ops.matmul(matrix, ops.reshape(picture, (-1, channels, height * width)))
    return ops.reshape(flat, (-1, channels, height, width))

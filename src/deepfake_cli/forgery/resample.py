"""Shrink, shift, blur and sharpen batches with two small matrices per image, one for rows and one for columns.

These operations are separable and linear, so all of them together cost two matrix products: fast on CPU and GPU, and the same
on every Keras backend and under XLA.

Pictures here are planes: float32 (batch, channels, rows, columns).
"""

from typing import Any

import numpy as np
from keras import ops


def planes(images: Any) -> Any:
    """Images (batch, rows, columns, channels) as planes."""
    return ops.transpose(images, (0, 3, 1, 2))


def images_of(picture: Any) -> Any:
    """Planes as images (batch, rows, columns, channels)."""
    return ops.transpose(picture, (0, 2, 3, 1))


def separable(picture: Any, rows: Any, columns: Any) -> Any:
    """Apply one matrix to the rows and one to the columns.

    Args:
        picture: planes (batch, channels, height, width).
        rows: weights (batch, new height, height).
        columns: weights (batch, new width, width).

    Returns:
        Planes (batch, channels, new height, new width).
    """
    _, channels, height, width = picture.shape
    across = ops.matmul(ops.reshape(picture, (-1, channels * height, width)), ops.transpose(columns, (0, 2, 1)))
    return ops.matmul(rows[:, None], ops.reshape(across, (-1, channels, height, columns.shape[1])))


def positions(count: int, size: int, step: Any = 1.0, shift: Any = 0.0) -> Any:
    """Source positions of `count` output pixels in a line of `size` input pixels, with common centre.

    Args:
        count: number of output pixels.
        size: number of input pixels.
        step: distance of two positions, in input pixels: a number or (batch, 1, 1).
        shift: added to each position, likewise.

    Returns:
        (1 or batch, count, 1), within 0..size - 1.
    """
    outputs = np.arange(count, dtype="float32")[None, :, None] - (count - 1) / 2
    return ops.clip(ops.convert_to_tensor(outputs) * step + (size - 1) / 2 + shift, 0.0, size - 1.0)


def tent(where: Any, size: int, width: Any = 1.0, sharpen: Any = None) -> Any:
    """Weights of a triangular kernel of half width `width`: bilinear interpolation at 1, a low-pass filter above.

    Args:
        where: positions (batch, count, 1).
        size: number of input pixels.
        width: at least 1, a number or (batch, 1, 1).
        sharpen: amount of unsharp masking, which adds the difference to a kernel twice as wide; likewise.

    Returns:
        (batch, count, size); each row sums to 1.
    """
    distance = ops.abs(where - np.arange(size, dtype="float32")) / width
    weights = ops.relu(1.0 - distance)
    if sharpen is not None:
        weights = (1.0 + sharpen) * weights - sharpen / 2 * ops.relu(1.0 - distance / 2)
    return weights / ops.sum(weights, axis=-1, keepdims=True)


def bell(where: Any, size: int, deviation: Any) -> Any:
    """Weights of a Gaussian kernel of this standard deviation in pixels, as of `tent`; at 0, of the nearest pixel."""
    weights = ops.exp(-0.5 * ops.square((where - np.arange(size, dtype="float32")) / ops.maximum(deviation, 0.02)))
    return weights / ops.sum(weights, axis=-1, keepdims=True)


def turned(picture: Any, angle: Any) -> Any:
    """Rotate planes about their centre with bilinear interpolation; the border is repeated outside.

    Args:
        picture: planes (batch, channels, height, width).
        angle: radians, (batch, 1, 1).
    """
    _, channels, height, width = picture.shape
    y = np.arange(height, dtype="float32")[:, None] - (height - 1) / 2
    x = np.arange(width, dtype="float32")[None, :] - (width - 1) / 2
    cosine, sine = ops.cos(angle), ops.sin(angle)
    down, up = _split(cosine * y + sine * x + (height - 1) / 2, height)
    right, left = _split(cosine * x - sine * y + (width - 1) / 2, width)
    pixels = ops.reshape(images_of(picture), (-1, channels))
    first = ops.reshape(ops.arange(ops.shape(picture)[0], dtype="int32") * (height * width), (-1, 1, 1))
    index = ops.reshape(first + up * width + left, (-1,))

    def at(offset: int) -> Any:
        return ops.take(pixels, index + offset, axis=0)

    def per_channel(share: Any) -> Any:  # TensorFlow broadcasts a last axis of 1 slowly
        return ops.matmul(ops.reshape(share, (-1, 1)), np.ones((1, channels), "float32"))

    upper, lower = (at(offset) + per_channel(right) * (at(offset + 1) - at(offset)) for offset in (0, width))
    return planes(ops.reshape(upper + per_channel(down) * (lower - upper), (-1, height, width, channels)))


def _split(where: Any, size: int) -> tuple[Any, Any]:
    """Split positions into the weight of the pixel after and the index of the pixel before."""
    where = ops.clip(where, 0.0, size - 1.0)
    before = ops.minimum(ops.floor(where), size - 2.0)
    return where - before, ops.cast(before, "int32")

"""JPEG compression without encoding: chroma subsampling, and quantisation of 8 x 8 blocks of DCT coefficients.

Source: ITU-T T.81 (JPEG) with the tables of its annex K, scaled by quality as in libjpeg.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from deepfake_cli.forgery.colour import LUMA, mixed
from deepfake_cli.media.jpeg_tables import CHROMINANCE, LUMINANCE

BLOCK = 8
TO_YCC = np.stack([
    LUMA, (np.array([0, 0, 1]) - LUMA) / 1.772, (np.array([1, 0, 0]) - LUMA) / 1.402
]).astype("float32")  # fmt: skip


def compressed(picture: Any, quality: Any) -> Any:
    """Images after JPEG compression with 4:2:0 subsampling.

    Args:
        picture: planes (batch, 3, size, size), RGB in 0..255.
        quality: (batch, 1, 1) in 1..100, as in libjpeg and OpenCV.

    Returns:
        Planes of the same shape, whole numbers in 0..255.
    """
    size = picture.shape[2]
    ycc = mixed(_padded(picture, -size % (2 * BLOCK)), TO_YCC)
    luma = _quantized(ycc[:, :1] - 128.0, LUMINANCE, quality) + 128.0
    chroma = _quantized(_halved(ycc[:, 1:]), CHROMINANCE, quality)
    rgb = mixed(ops.concatenate([luma, _doubled(chroma)], axis=1), np.linalg.inv(TO_YCC).astype("float32"))
    return ops.clip(ops.round(rgb[:, :, :size, :size]), 0.0, 255.0)


def _quantized(picture: Any, table: Sequence[int], quality: Any) -> Any:
    """Round the DCT coefficients of each block to multiples of the table's steps."""
    _, channels, height, width = picture.shape
    split = (-1, channels, height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    blocks = ops.transpose(ops.reshape(picture, split), (0, 1, 2, 4, 3, 5))
    cosines = ops.matmul(ops.reshape(blocks, (-1, channels * height * width // 64, 64)), COSINES.T)
    steps = _steps(table, quality)
    values = ops.matmul(ops.round(cosines / steps) * steps, COSINES)
    blocks = ops.reshape(values, (-1, channels, height // BLOCK, width // BLOCK, BLOCK, BLOCK))
    return ops.reshape(ops.transpose(blocks, (0, 1, 2, 4, 3, 5)), (-1, channels, height, width))


def _steps(table: Sequence[int], quality: Any) -> Any:
    """The quantisation table at this quality, (batch, 1, 64)."""
    quality = ops.round(quality)
    percent = ops.where(quality < 50, 5000.0 / quality, 200.0 - 2.0 * quality)
    return ops.clip(ops.floor((ops.floor(percent) * np.array(table, "float32") + 50.0) / 100.0), 1.0, 255.0)


def _halved(picture: Any) -> Any:
    """Half the size, as means of 2 x 2 pixels."""
    _, channels, height, width = picture.shape
    return ops.mean(ops.reshape(picture, (-1, channels, height // 2, 2, width // 2, 2)), axis=(3, 5))


def _doubled(picture: Any) -> Any:
    """Twice the size, with weights of 3/4 and 1/4."""
    height, width = picture.shape[2:]
    return ops.matmul(_tents(height), ops.matmul(picture, _tents(width).T))


def _tents(size: int) -> np.ndarray:
    where = np.clip((np.arange(2 * size)[:, None] + 0.5) / 2 - 0.5, 0, size - 1)
    return np.clip(1 - np.abs(where - np.arange(size)), 0, None).astype("float32")


def _padded(picture: Any, more: int) -> Any:
    """Repeat the last row and column."""
    if not more:
        return picture
    index = np.minimum(np.arange(picture.shape[2] + more), picture.shape[2] - 1)
    return ops.take(ops.take(picture, index, axis=2), index, axis=3)


def _cosines() -> np.ndarray:
    """The two-dimensional discrete cosine transform of a block, as a matrix (64, 64)."""
    place, wave = np.arange(BLOCK), np.arange(BLOCK)[:, None]
    line = np.cos((2 * place + 1) * wave * np.pi / (2 * BLOCK)) / 2
    line[0] /= np.sqrt(2)
    return np.kron(line, line).astype("float32")


COSINES = _cosines()

"""Estimate the quality of a JPEG from its quantisation table."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from deepfake_cli.media.jpeg_tables import LUMINANCE


def jpeg_quality(table: Sequence[int]) -> int:
    """Estimate the quality of a JPEG, 1..100, from its luminance quantisation table.

    Returns the quality whose libjpeg table (IJG, ``jpeg_set_quality``) has the smallest sum of absolute differences. Exact
    for libjpeg and OpenCV; an equivalent for encoders with other tables.

    Args:
        table: 64 values, row by row.
    """
    return int(np.abs(_tables() - np.asarray(table)[:64]).sum(axis=1).argmin()) + 1


@cache
def _tables() -> np.ndarray:
    """The libjpeg tables of qualities 1 to 100, shape (100, 64)."""
    quality = np.arange(1, 101)[:, None]
    scale = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    return np.clip((np.array(LUMINANCE) * scale + 50) // 100, 1, 255)

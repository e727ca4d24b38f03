"""At which quality a JPEG was written, from its quantisation table."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from deepfake_cli.media.jpeg_tables import LUMINANCE


def jpeg_quality(table: Sequence[int]) -> int:
    """Estimate the quality, 1..100, at which a JPEG was written, from its luminance quantisation table.

    It is the quality whose table libjpeg (IJG, ``jpeg_set_quality``) would write that lies nearest in the sum of absolute
    differences; exact for what libjpeg and OpenCV write, an equivalent for encoders with tables of their own.

    Args:
        table: 64 values, row by row.
    """
    return int(np.abs(_tables() - np.asarray(table)[:64]).sum(axis=1).argmin()) + 1


@cache
def _tables() -> np.ndarray:
    """The tables of the qualities 1 to 100, of shape (100, 64)."""
    quality = np.arange(1, 101)[:, None]
    scale = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    return np.clip((np.array(LUMINANCE) * scale + 50) // 100, 1, 255)

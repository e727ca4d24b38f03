"""Degradations as by cameras, codecs and uploads: one layer each, with one strength."""

from typing import Any

import numpy as np
from keras import ops

from deepfake_cli.forgery import colour
from deepfake_cli.forgery.chance import Chance
from deepfake_cli.forgery.jpeg import compressed
from deepfake_cli.forgery.layer import Degradation
from deepfake_cli.forgery.resample import bell, positions, separable, tent

WORST_QUALITY = 5
QUALITY = 70  # loss of JPEG quality at severity 1
BLUR = 2.5  # standard deviation at severity 1, in pixels of a crop of 224
NOISE = 14.0  # standard deviation at severity 1, in pixel values
SHRINK = 3.0  # shrink factor at severity 1, minus 1
LIGHT = 2.0  # change of light, relative to self-blending
BLOCKS, BLOCK = 2, 0.35  # number of blocks, and their longest side at severity 1, in sides of the image


class Jpeg(Degradation):
    """JPEG compression: quality 100 at severity 0, 30 at 1."""

    def degraded(self, picture: Any, severity: Any, chance: Chance) -> Any:
        """See `Degradation.degraded`."""
        quality = ops.maximum(100.0 - QUALITY * severity, WORST_QUALITY)
        return _select(severity > 0, compressed(picture, quality), picture)


class Blur(Degradation):
    """Gaussian blur."""

    def degraded(self, picture: Any, severity: Any, chance: Chance) -> Any:
        """See `Degradation.degraded`."""
        size = picture.shape[2]
        weights = bell(positions(size, size), size, severity * (BLUR * size / 224))
        return separable(picture, weights, weights)


class Noise(Degradation):
    """Gaussian noise, independent for each value."""

    def degraded(self, picture: Any, severity: Any, chance: Chance) -> Any:
        """See `Degradation.degraded`."""
        return picture + NOISE * severity[..., None] * chance.normal(picture.shape[1:])


class Rescale(Degradation):
    """Shrink, then enlarge to the original size."""

    def degraded(self, picture: Any, severity: Any, chance: Chance) -> Any:
        """See `Degradation.degraded`."""
        size, factor = picture.shape[2], 1.0 + SHRINK * severity
        down = tent(positions(size, size, factor, (factor - 1.0) * size / 2), size, factor)  # both start at the edge
        up = tent(positions(size, size, 1.0 / factor, (1.0 / factor - 1.0) * size / 2), size)
        weights = ops.matmul(up, down)
        return separable(picture, weights, weights)


class Light(Degradation):
    """Change brightness and contrast."""

    def degraded(self, picture: Any, severity: Any, chance: Chance) -> Any:
        """See `Degradation.degraded`."""
        return colour.lit(picture, chance, LIGHT * severity)


class Colour(Degradation):
    """Change hue, saturation and the balance of red, green and blue."""

    def degraded(self, picture: Any, severity: Any, chance: Chance) -> Any:
        """See `Degradation.degraded`."""
        return colour.tinted(picture, chance, severity)


class Occlude(Degradation):
    """Cover blocks with a colour, like captions, logos and hands."""

    def degraded(self, picture: Any, severity: Any, chance: Chance) -> Any:
        """See `Degradation.degraded`."""
        line = (np.arange(picture.shape[2], dtype="float32") + 0.5) / picture.shape[2]
        for _ in range(BLOCKS):
            across, down = (
                ops.cast(ops.abs(line - chance.uniform()) < chance.uniform(0.15, 0.5) * BLOCK * severity, "float32")
                for _ in range(2)
            )
            block = ops.transpose(down, (0, 2, 1)) * across
            picture = _select(block, 255.0 * chance.uniform(shape=(3, 1, 1)), picture)
        return picture


class Flip(Degradation):
    """Mirror left and right: at strength 1, half of the images."""

    def __init__(self, strength: float = 1.0, **options: Any):
        super().__init__(strength, **{"share": min(strength, 2.0) / 2} | options)

    def degraded(self, picture: Any, severity: Any, chance: Chance) -> Any:
        """See `Degradation.degraded`."""
        return _select(severity > 0, ops.flip(picture, axis=3), picture)


def _select(where: Any, changed: Any, picture: Any) -> Any:
    """`changed` if `where`, (batch, rows or 1, columns or 1), else `picture`; by products, as TensorFlow's select is slow."""
    share = ops.cast(where, "float32")[:, None]
    return share * changed + (1.0 - share) * picture

"""What cameras, codecs and uploads do to images: one layer each, with one strength."""

from typing import Any

import numpy as np
from keras import ops

from deepfake_cli.forgery import colour
from deepfake_cli.forgery.chance import Chance
from deepfake_cli.forgery.jpeg import compressed
from deepfake_cli.forgery.layer import Degradation
from deepfake_cli.forgery.resample import bell, positions, separable, tent

WORST_QUALITY = 5
QUALITY = 70  # points of JPEG quality that are lost at severity 1
BLUR = 2.5  # standard deviation at severity 1, in pixels of a crop of 224
NOISE = 14.0  # standard deviation at severity 1, in pixel values
SHRINK = 3.0  # factor beyond 1 at severity 1
LIGHT = 2.0  # of what self-blending changes
BLOCKS, BLOCK = 2, 0.35  # how many, and the longest side at severity 1, in sides of the image


class Jpeg(Degradation):
    """Compress as a JPEG file does: quality 100 at severity 0, 30 at 1."""

    def degraded(self, picture: Any, severity: Any, chance: Chance) -> Any:
        """As in `Degradation`."""
        quality = ops.maximum(100.0 - QUALITY * severity, WORST_QUALITY)
        return _chosen(severity > 0, compressed(picture, quality), picture)


class Blur(Degradation):
    """Blur with a Gaussian."""

    def degraded(self, picture: Any, severity: Any, chance: Chance) -> Any:
        """As in `Degradation`."""
        size = picture.shape[2]
        weights = bell(positions(size, size), size, severity * (BLUR * size / 224))
        return separable(picture, weights, weights)


class Noise(Degradation):
    """Add Gaussian noise, each value's its own."""

    def degraded(self, picture: Any, severity: Any, chance: Chance) -> Any:
        """As in `Degradation`."""
        return picture + NOISE * severity[..., None] * chance.normal(picture.shape[1:])


class Rescale(Degradation):
    """Shrink, and blow up to the same size."""

    def degraded(self, picture: Any, severity: Any, chance: Chance) -> Any:
        """As in `Degradation`."""
        size, factor = picture.shape[2], 1.0 + SHRINK * severity
        down = tent(positions(size, size, factor, (factor - 1.0) * size / 2), size, factor)  # both begin at the edge
        up = tent(positions(size, size, 1.0 / factor, (1.0 / factor - 1.0) * size / 2), size)
        weights = ops.matmul(up, down)
        return separable(picture, weights, weights)


class Light(Degradation):
    """Change brightness and contrast."""

    def degraded(self, picture: Any, severity: Any, chance: Chance) -> Any:
        """As in `Degradation`."""
        return colour.lit(picture, chance, LIGHT * severity)


class Colour(Degradation):
    """Change hue, saturation and the balance of red, green and blue."""

    def degraded(self, picture: Any, severity: Any, chance: Chance) -> Any:
        """As in `Degradation`."""
        return colour.tinted(picture, chance, severity)


class Occlude(Degradation):
    """Cover blocks with a colour, as captions, logos and hands do."""

    def degraded(self, picture: Any, severity: Any, chance: Chance) -> Any:
        """As in `Degradation`."""
        line = (np.arange(picture.shape[2], dtype="float32") + 0.5) / picture.shape[2]
        for _ in range(BLOCKS):
            across, down = (
                ops.cast(ops.abs(line - chance.uniform()) < chance.uniform(0.15, 0.5) * BLOCK * severity, "float32")
                for _ in range(2)
            )
            block = ops.transpose(down, (0, 2, 1)) * across
            picture = _chosen(block, 255.0 * chance.uniform(shape=(3, 1, 1)), picture)
        return picture


class Flip(Degradation):
    """Swap left and right: at strength 1 in half of the images."""

    def __init__(self, strength: float = 1.0, **options: Any):
        super().__init__(strength, **{"share": min(strength, 2.0) / 2} | options)

    def degraded(self, picture: Any, severity: Any, chance: Chance) -> Any:
        """As in `Degradation`."""
        return _chosen(severity > 0, ops.flip(picture, axis=3), picture)


def _chosen(where: Any, changed: Any, picture: Any) -> Any:
    """`changed` where (batch, rows or 1, columns or 1) is true, else `picture`: products, since TensorFlow's select is slow."""
    share = ops.cast(where, "float32")[:, None]
    return share * changed + (1.0 - share) * picture

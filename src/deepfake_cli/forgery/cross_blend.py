"""Blend a face with another real face of the batch, matched in colour: a face swap without artefacts of a generator.

What remains is the seam, and the mismatch of two people's faces. Source: the idea of Li et al., "Face X-ray for More General
Face Forgery Detection", CVPR 2020. The paper pairs faces by their landmarks; here crops are centred on faces already, so any
two of a batch are paired. Written from the paper, without other code.
"""

from typing import Any

from keras import ops

from deepfake_cli.forgery.chance import Chance
from deepfake_cli.forgery.colour import lit, tinted
from deepfake_cli.forgery.layer import Forgery
from deepfake_cli.forgery.region import Window
from deepfake_cli.forgery.resample import positions, separable, tent

RESIZE = 0.08  # largest stretch of the other face, per axis
TRANSLATE = 0.03  # largest shift, in heights of the face
BLUR, SHARPEN = 1.0, 0.5  # as in `self_blend`
COLOUR = 0.3  # colour change after matching, relative to self-blending


class CrossBlend(Forgery):
    """Blend each face with the next one of the batch, or with itself if it is the only one."""

    def fake(self, real: Any, chance: Chance, window: Window) -> Any:
        """The other face, resized, shifted, blurred or sharpened, with the colour statistics of this one."""
        sharp = chance.off(1.0)  # below 0: blurred
        width = 1.0 + self.strength * BLUR * (window.half / 86) * ops.relu(-sharp)
        amount = self.strength * SHARPEN * ops.relu(sharp)
        sides = []
        for side in (window.height, window.width):
            step = 1.0 + self.strength * chance.off(RESIZE)
            shift = self.strength * chance.off(TRANSLATE * 2 * window.half)
            sides.append(tent(positions(side, side, step, shift), side, width, amount))
        other = matched(separable(ops.roll(real, 1, axis=0), *sides), real)
        colour = COLOUR * self.strength
        return lit(tinted(other, chance, colour), chance, colour)

    def opacity(self, chance: Chance) -> Any:
        """At strength 1: full in half of the images, between a half and full in the others."""
        return ops.minimum(self.strength * chance.uniform(0.5, 1.5), 1.0)


def matched(other: Any, real: Any) -> Any:
    """Match the mean and standard deviation of each channel in the middle of the image (Reinhard et al., 2001)."""
    (mean, spread), (own, width) = _moments(real), _moments(other)
    return (other - own) * (spread / width) + mean


def _moments(picture: Any) -> tuple[Any, Any]:
    _, _, height, width = picture.shape
    skin = picture[:, :, height // 4 : -height // 4, width // 4 : -width // 4]  # without hair and background
    mean = ops.mean(skin, axis=(2, 3), keepdims=True)
    return mean, ops.sqrt(ops.mean(ops.square(skin - mean), axis=(2, 3), keepdims=True) + 1.0)

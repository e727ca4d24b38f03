"""A face blended with another real one of the batch, matched in colour: what a swap looks like whose making left no trace.

What remains is that two people's faces do not quite fit, and the seam. Source: the idea of Li et al., "Face X-ray for
More General Face Forgery Detection", CVPR 2020, whose blended images pair faces by their landmarks; here crops are centred on
faces already, and any two of a batch are paired. Written from the paper, not from anybody's code.
"""

from typing import Any

from keras import ops

from deepfake_cli.forgery.chance import Chance
from deepfake_cli.forgery.colour import lit, tinted
from deepfake_cli.forgery.layer import Forgery
from deepfake_cli.forgery.region import Window
from deepfake_cli.forgery.resample import positions, separable, tent

RESIZE = 0.08  # most that the other face is stretched, each way on its own
TRANSLATE = 0.03  # most that it is moved, in heights of the face
BLUR, SHARPEN = 1.0, 0.5  # as in `self_blend`
COLOUR = 0.3  # of what self-blending changes, after the match


class CrossBlend(Forgery):
    """Blend each face with the next one of the batch; with itself, where there is no other."""

    def fake(self, real: Any, chance: Chance, window: Window) -> Any:
        """The other face: resized, moved, blurred or sharpened, with the mean and spread of this one's colours."""
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
        """At strength 1 full in half of the images, down to a half in the others."""
        return ops.minimum(self.strength * chance.uniform(0.5, 1.5), 1.0)


def matched(other: Any, real: Any) -> Any:
    """Give faces the mean and standard deviation of others in their middle, a colour at a time (Reinhard et al., 2001)."""
    (mean, spread), (own, width) = _moments(real), _moments(other)
    return (other - own) * (spread / width) + mean


def _moments(picture: Any) -> tuple[Any, Any]:
    _, _, height, width = picture.shape
    skin = picture[:, :, height // 4 : -height // 4, width // 4 : -width // 4]  # no hair, nothing behind the face
    mean = ops.mean(skin, axis=(2, 3), keepdims=True)
    return mean, ops.sqrt(ops.mean(ops.square(skin - mean), axis=(2, 3), keepdims=True) + 1.0)

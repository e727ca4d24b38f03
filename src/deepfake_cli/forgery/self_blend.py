"""Self-blended images: a face blended with a copy of itself that differs in colour, sharpness, size and position.

A face swap shows in the mismatch of face and surroundings and in the seam between them. Here both are made from one real
image, so that nothing else separates the classes. Source: the idea of Shiohara and Yamasaki, "Detecting Deepfakes with
Self-Blended Images", CVPR 2022; written from the paper, without its code.

One difference: the paper changes the copy or the surroundings, at random. Here only the copy is changed, in both directions
(blurred or sharpened, lighter or darker). So outside its mask a pseudo-fake equals the real image, and changes of whole images
are left to the degradations, which apply to both classes.
"""

from typing import Any

from keras import ops

from deepfake_cli.forgery.chance import Chance
from deepfake_cli.forgery.colour import lit, tinted
from deepfake_cli.forgery.layer import Forgery
from deepfake_cli.forgery.region import Window
from deepfake_cli.forgery.resample import positions, separable, tent

RESIZE = 0.05  # largest stretch of the copy, per axis
TRANSLATE = 0.03, 0.015  # largest horizontal and vertical shift, in heights of the face
BLUR, SHARPEN = 1.6, 0.7  # width of the low-pass minus 1, in pixels of a crop of 224; amount of the unsharp mask


class SelfBlend(Forgery):
    """Blend faces with changed copies of themselves; see the module, and `Forgery` for the arguments."""

    elastic = 0.09

    def fake(self, real: Any, chance: Chance, window: Window) -> Any:
        """The copy, resized, shifted, blurred or sharpened, with other colours."""
        sharp = chance.off(1.0)  # below 0: blurred
        width = 1.0 + self.strength * BLUR * (window.half / 86) * ops.relu(-sharp)
        amount = self.strength * SHARPEN * ops.relu(sharp)
        sides = []
        for side, most in ((window.height, TRANSLATE[1]), (window.width, TRANSLATE[0])):
            step = 1.0 + self.strength * chance.off(RESIZE)
            shift = self.strength * chance.off(most * 2 * window.half)
            sides.append(tent(positions(side, side, step, shift), side, width, amount))
        return lit(tinted(separable(real, *sides), chance, self.strength), chance, self.strength)

    def opacity(self, chance: Chance) -> Any:
        """Full in half of the images, between a third and full in the others."""
        return ops.minimum(chance.uniform(0.3, 1.7), 1.0)

"""Self-blended images: a face blended with a copy of itself that differs in colour, sharpness, size and place.

What gives a swap away is that face and surroundings do not quite match, and that a seam runs between them. Both are
made here from one real image, so that nothing else tells the classes apart. Source: the idea of Shiohara and Yamasaki,
"Detecting Deepfakes with Self-Blended Images", CVPR 2022; written from the paper, not from its code.

One departure: the paper changes the copy or the surroundings, at random; here the copy alone is changed, in both
directions (blurred or sharpened, lighter or darker). So outside of its mask a pseudo-fake is the real image itself, and
what is done to images as a whole is left to the degradations, which fakes and reals share.
"""

from typing import Any

from keras import ops

from deepfake_cli.forgery.chance import Chance
from deepfake_cli.forgery.colour import lit, tinted
from deepfake_cli.forgery.layer import Forgery
from deepfake_cli.forgery.region import Window
from deepfake_cli.forgery.resample import positions, separable, tent

RESIZE = 0.05  # most that the copy is stretched, each way on its own
TRANSLATE = 0.03, 0.015  # most that it is moved sideways and up or down, in heights of the face
BLUR, SHARPEN = 1.6, 0.7  # pixels beyond 1 of the low-pass at 224 pixels a crop; amount of the unsharp mask


class SelfBlend(Forgery):
    """Blend faces with changed copies of themselves; see this module, and `Forgery` for the arguments."""

    elastic = 0.09

    def fake(self, real: Any, chance: Chance, window: Window) -> Any:
        """The copy: resized, moved, blurred or sharpened, and of other colours."""
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
        """Full in half of the images, down to a third in the others."""
        return ops.minimum(chance.uniform(0.3, 1.7), 1.0)

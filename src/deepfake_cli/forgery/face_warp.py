"""Face warping artefacts: a real face, shrunk to the few pixels of a swap network's output and blown up again.

A swap network paints a face of fixed, small size, which an affine map then fits into the frame. What that leaves behind is a
face less sharp than its surroundings, behind a soft edge; it is made here without any network. The warped face is the
fake. Source: the idea of Li and Lyu, "Exposing DeepFake Videos By Detecting Face Warping Artifacts", CVPR Workshops 2019;
written from the paper, not from its code.
"""

from typing import Any

from keras import ops

from deepfake_cli.forgery.chance import Chance
from deepfake_cli.forgery.colour import tinted
from deepfake_cli.forgery.layer import Forgery
from deepfake_cli.forgery.region import Window
from deepfake_cli.forgery.resample import positions, separable, tent, turned

MOST_KEPT = 0.5  # of the crop's pixels a line: a sharper face would not look warped
KEPT = 0.34, MOST_KEPT  # as a network of 64 to 96 pixels leaves of a face of 190
ANGLE, SCALE, SHIFT = 0.03, 0.02, 0.01  # most that the face is turned (radians), resized, moved (heights of the face)
COLOUR = 0.4  # of what self-blending changes


class FaceWarp(Forgery):
    """Shrink faces and blow them up again, a little turned, resized and moved.

    Args:
        strength: as in `Forgery`; the small face has ``1 / strength`` of the pixels a side.
        colour: shift the face's colours too.
        shapes: cut some masks off by a line, and bend all; if not, every mask is a whole, smooth egg.
        options: `margin` and `seed`, as in `Forgery`.
    """

    def __init__(self, strength: float = 1.0, *, colour: bool = True, shapes: bool = True, **options: Any):
        super().__init__(strength, **options)
        self.colour, self.cuts = colour, shapes
        self.elastic = Forgery.elastic if shapes else 0.0

    def fake(self, real: Any, chance: Chance, window: Window) -> Any:
        """The face, at a random size in the middle of a small picture, turned there and fitted back."""
        kept = ops.clip(chance.uniform(*KEPT) / self.strength, 0.05, MOST_KEPT)  # pixels to one of the crop
        width = chance.uniform(1.0, 1.5) / kept  # of the kernel that it is shrunk with
        amount = chance.uniform(0.0, 0.35)  # between bilinear and bicubic: what it is blown up with
        down, up = [], []
        for side in (window.height, window.width):
            small = int(side * MOST_KEPT)
            down.append(tent(positions(small, side, 1.0 / kept), side, width))
            step = kept * (1.0 + self.strength * chance.off(SCALE))
            shift = self.strength * chance.off(SHIFT * 2 * window.half) * kept
            up.append(tent(positions(side, small, step, shift), small, sharpen=amount))
        face = turned(separable(real, *down), self.strength * chance.off(ANGLE))
        return separable(tinted(face, chance, COLOUR * self.strength) if self.colour else face, *up)

    def get_config(self) -> dict[str, Any]:
        """What the layer can be built from again."""
        return super().get_config() | {"colour": self.colour, "shapes": self.cuts}

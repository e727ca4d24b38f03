"""Face warping artefacts: a real face, shrunk to the resolution of a swap network's output and enlarged again.

A swap network outputs a face of fixed, small size, which is warped into the frame. This leaves a face that is less sharp than
its surroundings, behind a soft edge. Here it is made without a network. Source: the idea of Li and Lyu, "Exposing DeepFake
Videos By Detecting Face Warping Artifacts", CVPR Workshops 2019; written from the paper, without its code.
"""

from typing import Any

from keras import ops

from deepfake_cli.forgery.chance import Chance
from deepfake_cli.forgery.colour import tinted
from deepfake_cli.forgery.layer import Forgery
from deepfake_cli.forgery.region import Window
from deepfake_cli.forgery.resample import positions, separable, tent, turned

MAX_SCALE = 0.5  # of the shrunk face: a sharper one would not look warped
SCALES = 0.34, MAX_SCALE  # a network of 64 to 96 pixels for a face of 190
ANGLE, STRETCH, SHIFT = 0.03, 0.02, 0.01  # largest rotation (radians), stretch and shift (heights of the face)
COLOUR = 0.4  # colour change, relative to self-blending


class FaceWarp(Forgery):
    """Shrink faces and enlarge them again, slightly rotated, stretched and shifted.

    Args:
        strength: as in `Forgery`; the side of the small face is proportional to ``1 / strength``.
        colour: change the face's colours too.
        shapes: distort all masks and cut some off at a line; if False, every mask is a smooth oval.
        options: `margin` and `seed`, as in `Forgery`.
    """

    def __init__(self, strength: float = 1.0, *, colour: bool = True, shapes: bool = True, **options: Any):
        super().__init__(strength, **options)
        self.colour, self.cuts = colour, shapes
        self.elastic = Forgery.elastic if shapes else 0.0

    def fake(self, real: Any, chance: Chance, window: Window) -> Any:
        """The face, shrunk to a random size, rotated, and enlarged again."""
        scale = ops.clip(chance.uniform(*SCALES) / self.strength, 0.05, MAX_SCALE)  # pixels per pixel of the crop
        width = chance.uniform(1.0, 1.5) / scale  # of the kernel for shrinking
        amount = chance.uniform(0.0, 0.35)  # of sharpening when enlarging, between bilinear and bicubic
        down, up = [], []
        for side in (window.height, window.width):
            small = int(side * MAX_SCALE)
            down.append(tent(positions(small, side, 1.0 / scale), side, width))
            step = scale * (1.0 + self.strength * chance.off(STRETCH))
            shift = self.strength * chance.off(SHIFT * 2 * window.half) * scale
            up.append(tent(positions(side, small, step, shift), small, sharpen=amount))
        face = turned(separable(real, *down), self.strength * chance.off(ANGLE))
        return separable(tinted(face, chance, COLOUR * self.strength) if self.colour else face, *up)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for `from_config`."""
        return super().get_config() | {"colour": self.colour, "shapes": self.cuts}

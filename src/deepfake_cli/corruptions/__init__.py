"""What a picture goes through on its way to whoever checks it, at five strengths each.

The idea is that of the perturbations of DeeperForensics-1.0 (Jiang et al., CVPR 2020, section 4: seven at five levels); kinds
and strengths are our own. All work on images as the network gets them: uint8 face crops, scaled to its input. So a real video's
codec, which saw the whole frame before the crop was cut, does less or more than the CRF here says.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from deepfake_cli.corruptions import functions

Apply = Callable[[np.ndarray, float, Sequence[np.random.Generator]], np.ndarray]


@dataclass(frozen=True)
class Change:
    """One kind of change.

    Attributes:
        apply: takes successive images of one video, uint8 RGB (frames, size, size, 3); how much; and a generator for each
            image. Returns images like them.
        amounts: how much, at the strengths 1 to 5.
        parameter: what an amount is, with a place for it.
    """

    apply: Apply
    amounts: tuple[float, float, float, float, float]
    parameter: str

    def described(self, strength: int) -> str:
        """The parameter at a strength of 1 to 5, such as ``quality 30``."""
        return self.parameter.format(self.amounts[strength - 1])


CHANGES = {
    "jpeg": Change(functions.jpeg, (90, 70, 50, 30, 10), "quality {:g}"),  # libjpeg's
    "h264": Change(functions.h264, (23, 30, 37, 44, 51), "CRF {:g}"),  # x264's; 51 is the worst there is
    "blur": Change(functions.blur, (0.5, 1, 2, 3, 5), "sigma {:g} px of 224"),
    "noise": Change(functions.noise, (4, 8, 16, 32, 64), "sigma {:g} of 255"),
    "scale": Change(functions.scale, (0.8, 0.5, 0.35, 0.25, 0.125), "to {:g} and back"),
    "brightness": Change(functions.brightness, (0.85, 0.7, 0.55, 0.4, 0.25), "times {:g}"),
    "contrast": Change(functions.contrast, (0.85, 0.7, 0.55, 0.4, 0.25), "times {:g}"),
    "saturation": Change(functions.saturation, (0.8, 0.6, 0.4, 0.2, 0), "times {:g}"),
    "occlusion": Change(functions.occlusion, (0.05, 0.1, 0.2, 0.35, 0.5), "{:.0%} of blocks"),
}
STRENGTHS = range(1, 6)


def changed(images: np.ndarray, name: str, strength: int, places: Sequence[int], seed: int = 0) -> np.ndarray:
    """Change successive images of one video.

    Args:
        images: uint8 RGB (frames, size, size, 3).
        name: one of `CHANGES`.
        strength: 1 to 5.
        places: of each image in the whole list. What is drawn at random for an image depends on its place, the change and the
            seed alone: it is the same at every strength, only more of it, and however images are batched.
        seed: of what is drawn.
    """
    number, change = list(CHANGES).index(name), CHANGES[name]
    generators = [np.random.default_rng([seed, number, place]) for place in places]
    return change.apply(images, change.amounts[strength - 1], generators)

"""Corruptions of images at test time, each at five strengths.

After the perturbations of DeeperForensics-1.0 (Jiang et al., CVPR 2020, section 4: seven at five levels); kinds and strengths are
our own. All work on the input of the detector: uint8 face crops, scaled. A real codec sees the whole frame before the crop, so
its effect at the same CRF differs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from deepfake_cli.corruptions import functions

Apply = Callable[[np.ndarray, float, Sequence[np.random.Generator]], np.ndarray]


@dataclass(frozen=True)
class Change:
    """One corruption.

    Attributes:
        apply: from successive images of one video, uint8 RGB (frames, size, size, 3), an amount, and a random generator for
            each image, to images of the same shape.
        amounts: at strengths 1 to 5.
        parameter: format string of an amount.
    """

    apply: Apply
    amounts: tuple[float, float, float, float, float]
    parameter: str

    def described(self, strength: int) -> str:
        """The parameter at a strength of 1 to 5, such as ``quality 30``."""
        return self.parameter.format(self.amounts[strength - 1])


CHANGES = {
    "jpeg": Change(functions.jpeg, (90, 70, 50, 30, 10), "quality {:g}"),  # libjpeg's
    "h264": Change(functions.h264, (23, 30, 37, 44, 51), "CRF {:g}"),  # x264's; 51 is the lowest quality
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
    """Corrupt successive images of one video.

    Args:
        images: uint8 RGB (frames, size, size, 3).
        name: one of `CHANGES`.
        strength: 1 to 5.
        places: index of each image in the whole list. Random numbers depend only on the place, the corruption and the seed: they
            are the same at every strength and in any batching.
        seed: of the random numbers.
    """
    number, change = list(CHANGES).index(name), CHANGES[name]
    generators = [np.random.default_rng([seed, number, place]) for place in places]
    return change.apply(images, change.amounts[strength - 1], generators)

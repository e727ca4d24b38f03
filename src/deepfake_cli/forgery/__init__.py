"""Pseudo-fakes and degradations as Keras layers on batches.

Each layer is ``f(strength, …)``, active in training only. It maps RGB float32 (batch, size, size, 3) in 0..255 to the same,
with `keras.ops` only: on CPU or GPU, with any Keras backend, under ``tf.function`` and XLA. Its random numbers depend only on
the seed given.

A forgery also has ``forge(images, seed) -> (images, masks)``, with soft masks (batch, size, size, 1) in 0..1.
`deepfake_cli.forgery.mix` chooses which images of a batch are forged. Degradations follow, on both classes.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras

from deepfake_cli.forgery import degradations
from deepfake_cli.forgery.cross_blend import CrossBlend
from deepfake_cli.forgery.face_warp import FaceWarp
from deepfake_cli.forgery.layer import Degradation, Forgery
from deepfake_cli.forgery.self_blend import SelfBlend
from deepfake_cli.registry import lookup

__all__ = ["DEGRADATIONS", "FORGERIES", "CrossBlend", "Degradation", "FaceWarp", "Forgery", "SelfBlend", "build"]

FORGERIES: dict[str, Callable[..., Forgery]] = {
    "face_warp": FaceWarp,  # Li and Lyu, CVPR Workshops 2019
    "self_blend": SelfBlend,  # Shiohara and Yamasaki, CVPR 2022
    "cross_blend": CrossBlend,  # Li et al., CVPR 2020
}

DEGRADATIONS: dict[str, Callable[..., keras.layers.Layer]] = {
    "jpeg": degradations.Jpeg,
    "blur": degradations.Blur,
    "noise": degradations.Noise,
    "rescale": degradations.Rescale,  # shrink and enlarge
    "light": degradations.Light,  # brightness and contrast
    "colour": degradations.Colour,
    "occlude": degradations.Occlude,  # blocks of one colour
    "flip": degradations.Flip,  # left to right
}


def build(
    names: str, table: Mapping[str, Callable[..., Any]], kind: str, *, strength: float, **options: Any
) -> list[Any]:
    """Build the layers that a setting names.

    Args:
        names: keys of `table`, or ``module:function``, separated by commas.
        table: `FORGERIES` or `DEGRADATIONS`.
        kind: "forgery" or "degradation", for the message.
        strength: of each layer.
        options: further arguments of each layer, such as `margin` of forgeries.

    Raises:
        DeepfakeError: a name is unknown; the message lists the choices.
    """
    factories = [lookup(table, name.strip(), kind) for name in names.split(",")]
    return [factory(strength, **options) for factory in factories]

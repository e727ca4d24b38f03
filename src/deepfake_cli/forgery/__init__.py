"""Pseudo-fakes made from real faces, and degradations, as Keras layers over batches.

Each layer is ``f(strength, …)``, active in training only, from RGB float32 (batch, size, size, 3) in 0..255 to the same,
in `keras.ops` alone: on a CPU or a GPU, with any Keras backend, under ``tf.function`` and XLA. Its random numbers depend on the
seed that it is given and on nothing else.

A forgery also has ``forge(images, seed) -> (images, masks)``, with soft masks (batch, size, size, 1) in 0..1. Of a batch of
both classes the caller chooses what is forged: see `deepfake_cli.forgery.mix`. Degradations come after it, on both classes alike.
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
    "rescale": degradations.Rescale,  # shrunk and blown up again
    "light": degradations.Light,  # brightness and contrast
    "colour": degradations.Colour,
    "occlude": degradations.Occlude,  # blocks of one colour
    "flip": degradations.Flip,  # left to right
}


def build(
    names: str, table: Mapping[str, Callable[..., Any]], kind: str, *, strength: float, **options: Any
) -> list[Any]:
    """Make the layers that a setting names.

    Args:
        names: keys of `table`, or users' own as ``module:function``, with commas between.
        table: `FORGERIES` or `DEGRADATIONS`.
        kind: what they are, for the message.
        strength: of each.
        options: further arguments of each, such as `margin` of forgeries.

    Raises:
        DeepfakeError: there is none of a name; the message lists the choices.
    """
    factories = [lookup(table, name.strip(), kind) for name in names.split(",")]
    return [factory(strength, **options) for factory in factories]

"""Detectors: functional Keras models from RGB values in 0..255 to the probability of fake, with preprocessing inside.

An architecture is a function ``resnet50(input_shape, weights) -> keras.Model``:

- `input_shape` is (rows, columns, 3); `weights` is ``"imagenet"`` for pretrained weights or None for random ones;
- the model takes uint8 or float batches of that shape and scales them itself;
- its last layer is named ``"probability"``: (batch, 1), float32, in 0..1;
- it consists of Keras' own layers, so it loads without this package.

A user's architecture is given as ``module:function`` with the same contract; its default input is 224 x 224.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
from keras import applications as keras_models

from deepfake_cli.errors import ModelError
from deepfake_cli.models.applications import (
    CENTRED,
    MINUS_ONE_TO_ONE,
    STANDARDISED_BY_255,
    application,
)
from deepfake_cli.models.contract import check
from deepfake_cli.models.efficientnet_lite0 import efficientnet_lite0
from deepfake_cli.models.files import SUFFIXES, load_weights, read_model, weights_only
from deepfake_cli.models.meso import meso4, meso_inception4
from deepfake_cli.models.tune import freeze, thaw, unfrozen
from deepfake_cli.models.vit import B16, L14, vit_clip
from deepfake_cli.registry import lookup

__all__ = [
    "MODELS",
    "Architecture",
    "architecture",
    "build_model",
    "default_image_size",
    "load_model",
    "load_weights",
    "thaw",
    "unfrozen",
]


class Architecture(NamedTuple):
    """An architecture and its defaults."""

    build: Callable[[tuple[int, int, int], str | None], keras.Model]
    image_size: int = 224  # default side of the input, in pixels
    pretrained: bool = True  # whether it has pretrained weights; if not, "imagenet" gives random ones


MODELS: dict[str, Architecture] = {
    # residual networks: He et al., CVPR 2016
    "resnet50": Architecture(application(keras_models.ResNet50, CENTRED, bgr=True)),
    "resnet101": Architecture(application(keras_models.ResNet101, CENTRED, bgr=True)),
    "resnet152": Architecture(application(keras_models.ResNet152, CENTRED, bgr=True)),
    # Simonyan and Zisserman, ICLR 2015
    "vgg16": Architecture(application(keras_models.VGG16, CENTRED, bgr=True)),
    "vgg19": Architecture(application(keras_models.VGG19, CENTRED, bgr=True)),
    # Chollet, CVPR 2017; the strongest baseline of FaceForensics++ (Rössler et al., ICCV 2019)
    "xception": Architecture(application(keras_models.Xception, MINUS_ONE_TO_ONE), 299),
    # Tan and Le, ICML 2019; B4 on FaceForensics++ and DFDC: Bonettini et al., ICPR 2020
    "efficientnet_b0": Architecture(application(keras_models.EfficientNetB0, STANDARDISED_BY_255)),
    "efficientnet_b4": Architecture(application(keras_models.EfficientNetB4, STANDARDISED_BY_255), 380),
    # for small machines: Sandler et al., CVPR 2018; Howard et al., ICCV 2019
    # (Keras reads a whole mobilenet_v3_small from .keras only, not from .h5)
    "mobilenet_v2": Architecture(application(keras_models.MobileNetV2, MINUS_ONE_TO_ONE)),
    "mobilenet_v3_small": Architecture(
        application(keras_models.MobileNetV3Small, MINUS_ONE_TO_ONE, include_preprocessing=False)
    ),
    # its ImageNet weights are installed with this package, so it needs no network
    "efficientnet_lite0": Architecture(efficientnet_lite0),
    # vision transformers, for --tune norm: Radford et al., ICML 2021; Yermakov et al., WACV 2026
    # (pretrained with CLIP, not on ImageNet; their weights need pip install '.[hub]')
    "vit_clip_b16": Architecture(vit_clip("clip_vit_base_patch16", B16)),
    "vit_clip_l14": Architecture(vit_clip("clip_vit_large_patch14", L14)),
    # designed for forged faces: Afchar et al., WIFS 2018
    "meso4": Architecture(meso4, 256, pretrained=False),
    "meso_inception4": Architecture(meso_inception4, 256, pretrained=False),
}


def architecture(name: str) -> Architecture:
    """Return the architecture called `name`, or a user's ``module:function``.

    Raises:
        DeepfakeError: there is no such architecture; the message lists the choices.
    """
    if Path(name).suffix.lower() in SUFFIXES:
        raise ModelError(
            f"--model {name}: a file; expected the name of an architecture. To train a file further give it as --snapshot, to "
            "start from its weights as --weights."
        )
    entry: Architecture | Callable[..., keras.Model] = lookup(MODELS, name, "model")
    return entry if isinstance(entry, Architecture) else Architecture(entry)


def default_image_size(name: str) -> int:
    """Return an architecture's default side of the square input, in pixels."""
    return architecture(name).image_size


def build_model(
    name: str, *, image_size: int | None = None, weights: str | None = "imagenet", tune: str = "all"
) -> keras.Model:
    """Build a detector.

    Args:
        name: a key of `MODELS`, or ``module:function``.
        image_size: side of the square input, in pixels; None for the architecture's default.
        weights: "imagenet" for pretrained weights, which most architectures have from ImageNet; None for random ones.
            Architectures with ``pretrained=False`` get random weights either way.
        tune: which layers are trained: "all"; "head", the last dense layer only, with batch normalisation frozen; or "norm",
            the normalisation layers and the head.

    Returns:
        A functional model from (batch, image_size, image_size, 3), RGB in 0..255, uint8 or float, to the probability
        of fake, (batch, 1), float32.

    Raises:
        ModelError: the weights cannot be downloaded, the image size is too small, a user's function breaks the contract, or
            the model has no layers for `tune`.
        DeepfakeError: there is no architecture `name`.
    """
    chosen = architecture(name)
    side = image_size or chosen.image_size
    model = chosen.build((side, side, 3), weights)
    check(model, name, run=name not in MODELS)
    if tune != "all":
        freeze(model, tune)
    return model


def load_model(path: str | Path, name: str | None = None, image_size: int | None = None) -> keras.Model:
    """Read a detector from a file.

    Args:
        path: a whole model, .keras or .h5; or weights only, .weights.h5 or .h5.
        name: the architecture of a file with weights only.
        image_size: side of the square input, in pixels, for a file with weights only; None for the architecture's default.

    Raises:
        ModelError: the file is missing, unreadable, of another architecture, no detector, or has weights only and `name` is None.
    """
    path = Path(path)
    if not weights_only(path):
        return read_model(path)
    if name is None:
        raise ModelError(f"{path} has weights only. Name their architecture with --model NAME.")
    model = build_model(name, image_size=image_size, weights=None)
    load_weights(model, path)
    return model

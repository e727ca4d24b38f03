"""Backbones of `keras.applications`, each with its preprocessing inside the model.

A `Rescaling` layer does the preprocessing, so the models load in safe mode, from .keras and .h5. Two special cases:

- ResNet and VGG were trained on BGR. No layer reverses channels, and `keras.ops.flip` doesn't load from .h5, so the channels
  of the first kernel are reversed instead.
- Keras' EfficientNet has one more layer with ImageNet weights than without, so the same weights would give different
  outputs. Here it is always built without, and normalised before. Its own normalisation then does nothing and is removed:
  the ONNX converter would take its constants for inputs.
"""

import contextlib
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import keras
from keras import layers

from deepfake_cli.errors import ModelError
from deepfake_cli.models.head import classifier

HOST = "storage.googleapis.com"
STALL_SECONDS = 20

MEAN = (0.485, 0.456, 0.406)  # of ImageNet, RGB in 0..1
DEVIATION = (0.229, 0.224, 0.225)


def standardised(mean: tuple[float, ...], deviation: tuple[float, ...]) -> dict[str, Any]:
    """Arguments of Rescaling, from RGB in 0..255 to zero mean and unit deviation, given mean and deviation of RGB in 0..1."""
    return {
        "scale": [1 / (255 * d) for d in deviation],
        "offset": [-m / d for m, d in zip(mean, deviation, strict=True)],
    }


# arguments of Rescaling, from RGB in 0..255
CENTRED: dict[str, Any] = {"scale": 1.0, "offset": [-123.68, -116.779, -103.939]}
MINUS_ONE_TO_ONE: dict[str, Any] = {"scale": 1 / 127.5, "offset": -1.0}
STANDARDISED: dict[str, Any] = standardised(MEAN, DEVIATION)
# for EfficientNet, which divides by 255 itself
STANDARDISED_BY_255: dict[str, Any] = {key: [255 * value for value in values] for key, values in STANDARDISED.items()}


def application(
    constructor: Callable[..., Any], rescaling: dict[str, Any], *, bgr: bool = False, **options: Any
) -> Callable[..., Any]:
    """Return the architecture function of one constructor of `keras.applications`.

    Args:
        constructor: for example `keras.applications.ResNet50`.
        rescaling: arguments of `keras.layers.Rescaling`, from RGB in 0..255 to the values that the constructor expects.
        bgr: the ImageNet weights were trained on BGR.
        options: further arguments of the constructor.
    """

    def build(input_shape: tuple[int, int, int], weights: str | None) -> keras.Model:
        trained = _trained(constructor, options) if weights else None
        inputs = keras.Input(input_shape)
        backbone = _untrained(constructor, options, input_shape, layers.Rescaling(**rescaling)(inputs))
        if trained is not None:
            _copy_weights(trained, backbone, bgr=bgr)
        return classifier(backbone.inputs[0], backbone.output, backbone.name)

    return build


def _untrained(
    constructor: Callable[..., Any], options: dict[str, Any], input_shape: tuple[int, int, int], tensor: Any
) -> keras.Model:
    try:
        backbone = constructor(include_top=False, weights=None, input_shape=input_shape, input_tensor=tensor, **options)
    except ValueError as error:  # the image size is too small; Keras' message names the limit
        raise ModelError(f"{constructor.__name__} cannot be built for images of {input_shape[:2]}. {error}") from None
    if any(isinstance(layer, layers.Normalization) for layer in backbone.layers):
        return keras.models.clone_model(backbone, clone_function=_without_normalization)
    return backbone


def _without_normalization(layer: Any) -> Any:
    """Copy a layer; replace a Normalization, which has no statistics and does nothing, by Identity."""
    if isinstance(layer, layers.Normalization):
        return layers.Identity()
    return type(layer).from_config(layer.get_config())


def _trained(constructor: Callable[..., Any], options: dict[str, Any]) -> keras.Model:
    """Return the backbone with ImageNet weights, from Keras' cache or the network."""
    try:
        with downloading():
            return constructor(include_top=False, weights="imagenet", input_shape=(224, 224, 3), **options)
    except Exception as error:  # Keras raises a bare Exception
        if not isinstance(error, OSError) and "fetch failure" not in str(error) and "corrupted file" not in str(error):
            raise
        raise ModelError(
            f"The ImageNet weights of {constructor.__name__} are not in ~/.keras and cannot be downloaded from {HOST}: "
            f"{str(error).rpartition(' -- ')[2]}. Connect to the network once to cache them, or use other weights with "
            "--weights FILE, random ones with --no-weights, or --model efficientnet_lite0, whose ImageNet weights are "
            "installed with this package."
        ) from None


@contextlib.contextmanager
def downloading() -> Iterator[None]:
    """Print Keras' progress bar on standard error, and give up on a host that does not answer."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALL_SECONDS)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        socket.setdefaulttimeout(before)


def _copy_weights(source: keras.Model, target: keras.Model, *, bgr: bool) -> None:
    for trained, layer in zip(_with_weights(source), _with_weights(target), strict=True):
        layer.set_weights(trained.get_weights())
    if bgr:
        first = next(layer for layer in target.layers if isinstance(layer, layers.Conv2D))
        kernel, *bias = first.get_weights()  # (rows, columns, channels in, channels out)
        first.set_weights([kernel[:, :, ::-1], *bias])


def _with_weights(model: keras.Model) -> list[Any]:
    return [layer for layer in model.layers if layer.weights and not isinstance(layer, layers.Normalization)]

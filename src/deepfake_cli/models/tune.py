"""Choose the trained layers of a model: all, its head, or its normalisation layers and head."""

from collections.abc import Iterator
from typing import Any

import keras
from keras import layers

from deepfake_cli.errors import ModelError
from deepfake_cli.models.head import PROBABILITY
from deepfake_cli.models.keras_private import flatten_layers

NORMALISATIONS = (
    layers.BatchNormalization,
    layers.LayerNormalization,
    layers.GroupNormalization,
    layers.RMSNormalization,
)


def freeze(model: keras.Model, tune: str) -> None:
    """Freeze all layers except those to train.

    Frozen batch normalisation uses its stored statistics; trained one uses those of each batch and updates its averages.
    Each layer is saved with its frozen state, so a resumed run trains the same layers.

    Args:
        model: may contain nested models of Keras' own classes.
        tune: "head" to train the last dense layer; "norm" to train it with gamma and beta of every normalisation layer.

    Raises:
        ModelError: the model has no layer of the head's name, no normalisation layers, or one inside a layer that is saved
            without the frozen state of its parts.
    """
    if PROBABILITY not in {layer.name for layer in model.layers}:
        raise ModelError(
            f"{model.name} has no layer named {PROBABILITY!r}, which --tune and --freeze-backbone need: name the last layer so."
        )
    trained = NORMALISATIONS if tune == "norm" else ()
    for layer in _layers(model):
        _check(layer, trained)
        layer.trainable = layer.name == PROBABILITY or isinstance(layer, trained)
    if trained and not any(isinstance(layer, trained) for layer in _layers(model)):
        raise ModelError(f"{model.name} has no normalisation layers. Train its head only with --tune head.")


def refreeze(model: keras.Model) -> bool:
    """Freeze everything inside frozen layers; return whether that changed anything.

    Keras 3.15 needs this after loading a file: it freezes an attention layer, but not the four projections inside.
    """
    before = len(model.trainable_variables)
    for layer in flatten_layers(model, include_self=False):
        if not layer.trainable:
            _set(layer, False)
    return len(model.trainable_variables) < before


def thaw(model: keras.Model) -> None:
    """Unfreeze all layers. Compile the model again afterwards."""
    _set(model, True)


def _set(layer: Any, trainable: bool) -> None:
    """Freeze or unfreeze a layer and all layers inside, one by one: Keras skips those inside a layer that has the value."""
    for inner in flatten_layers(layer):
        inner.trainable = trainable


def unfrozen(model: keras.Model) -> int:
    """Number of the model's parameters in layers that are not frozen."""
    return sum(layer.count_params() for layer in _layers(model) if layer.trainable)


def _layers(model: keras.Model) -> Iterator[Any]:
    """The model's layers, and those of nested models of Keras' own classes, which save the frozen state of each layer."""
    for layer in model.layers:
        if _is_open(layer):
            yield from _layers(layer)
        else:
            yield layer


def _is_open(layer: Any) -> bool:
    return isinstance(layer, keras.Model) and type(layer).__module__.startswith("keras.")


def _check(layer: Any, trained: tuple[type, ...]) -> None:
    hidden = [inner for inner in flatten_layers(layer, include_self=False) if isinstance(inner, trained)]
    if hidden:
        raise ModelError(
            f"{len(hidden)} normalisation layers are inside the layer {layer.name!r}, a {type(layer).__name__}, which is saved "
            "without the frozen state of its parts, so a run could not be resumed. Build the model from Keras' own layers, or "
            "use --tune head or --tune all."
        )

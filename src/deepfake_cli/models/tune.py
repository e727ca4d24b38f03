"""What of a model is trained: everything, its head, or its normalisation layers and head."""

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
    """Freeze what is not to be trained.

    A batch normalisation that is frozen scales by the statistics it has; one that is trained takes those of each batch, and
    its averages move. Each layer's saved form says whether it is frozen, so a run goes on as it was.

    Args:
        model: with nested models, if need be; those of Keras' own kinds are looked into.
        tune: "head", the last dense layer; or "norm", that and gamma and beta of every normalisation.

    Raises:
        ModelError: the model has no head of that name, or no normalisation, or keeps one where its saved form does not
            tell whether it is frozen.
    """
    if PROBABILITY not in {layer.name for layer in model.layers}:
        raise ModelError(
            f"A model to be frozen ends in a layer named {PROBABILITY!r}; the last of {model.name} is not."
        )
    trained = NORMALISATIONS if tune == "norm" else ()
    for layer in _layers(model):
        _check(layer, trained)
        layer.trainable = layer.name == PROBABILITY or isinstance(layer, trained)
    if trained and not any(isinstance(layer, trained) for layer in _layers(model)):
        raise ModelError(f"{model.name} has no normalisation layers: --tune head says what would be trained of it.")


def refreeze(model: keras.Model) -> bool:
    """Freeze all of each layer that is frozen, and tell whether that changed anything.

    It does where a layer made of others was just read from a file: Keras 3.15 freezes its attention, but not the four
    projections inside.
    """
    before = len(model.trainable_variables)
    for layer in flatten_layers(model, include_self=False):
        if not layer.trainable:
            _set(layer, False)
    return len(model.trainable_variables) < before


def thaw(model: keras.Model) -> None:
    """Train everything from now on; compile the model anew afterwards."""
    _set(model, True)


def _set(layer: Any, trainable: bool) -> None:
    """Freeze or thaw a layer and all in it, one by one: where it is so already, Keras leaves those inside as they are."""
    for each in flatten_layers(layer):
        each.trainable = trainable


def unfrozen(model: keras.Model) -> int:
    """How many of the model's parameters are in layers that are not frozen."""
    return sum(layer.count_params() for layer in _layers(model) if layer.trainable)


def _layers(model: keras.Model) -> Iterator[Any]:
    """The model's layers, and those of the models among them whose saved form has every layer's own."""
    for layer in model.layers:
        if _is_open(layer):
            yield from _layers(layer)
        else:
            yield layer


def _is_open(layer: Any) -> bool:
    return isinstance(layer, keras.Model) and type(layer).__module__.startswith("keras.")


def _check(layer: Any, trained: tuple[type, ...]) -> None:
    hidden = [each for each in flatten_layers(layer, include_self=False) if isinstance(each, trained)]
    if hidden:
        raise ModelError(
            f"{len(hidden)} normalisation layers are inside the layer {layer.name!r}, a {type(layer).__name__}, whose saved "
            "form does not tell which of its parts are frozen: a run could not go on. Build the model of Keras' own layers, "
            "or take --tune head or --tune all."
        )

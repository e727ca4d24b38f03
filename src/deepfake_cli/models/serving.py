"""The function that every export format contains, from crops to probabilities and heat maps, and its input."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.inference.runtimes.onnx import HEAT
from deepfake_cli.models.head import PROBABILITY
from deepfake_cli.models.heat import heat_of

IMAGES = "images"  # the only input
MASK = "mask"  # output of a model trained with masks of the forged region, (batch, rows, columns, 1) in 0..1


def serving(model: keras.Model) -> Callable[[Any], dict[str, Any]]:
    """The function to export: from uint8 RGB crops to the probability of fake and, if the model allows, a heat map.

    A model trained with masks outputs its own map; else see `deepfake_cli.models.heat`.
    """
    if isinstance(model.output, dict):
        return _with_mask(model)
    heat = heat_of(model)
    inner = keras.Model(model.inputs[0], [model.output, *(heat.tensors if heat else ())])

    def serve(images: Any) -> dict[str, Any]:
        output = inner(tf.cast(images, tf.float32), training=False)
        if heat is None:
            return {PROBABILITY: output[0] if isinstance(output, list) else output}
        return {PROBABILITY: output[0], HEAT: heat.terms(*output[1:])}

    return serve


def _with_mask(model: keras.Model) -> Callable[[Any], dict[str, Any]]:
    def serve(images: Any) -> dict[str, Any]:
        output = model(tf.cast(images, tf.float32), training=False)
        return {PROBABILITY: output[PROBABILITY], HEAT: output[MASK][..., 0]}

    return serve


def signature(traits: Traits, batch: int | None = None) -> tf.TensorSpec:
    """The input of that function: uint8 (batch, size, size, 3)."""
    return tf.TensorSpec((batch, traits.image_size, traits.image_size, 3), tf.uint8, IMAGES)

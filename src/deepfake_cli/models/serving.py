"""What is exported of a model, whatever the format: the function from crops to probabilities and heat maps, and its input."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.inference.runtimes.onnx import HEAT
from deepfake_cli.models.head import PROBABILITY

IMAGES = "images"  # the one input
MASK = "mask"  # the output of a model that was trained to say what is forged, (batch, rows, columns, 1) in 0..1


def serving(model: keras.Model) -> Callable[[Any], dict[str, Any]]:
    """The function that is exported: uint8 RGB crops to the probability of fake and, where the model allows, its heat map.

    A model that was trained to say what is forged has its own map. Of any other it is made of the head:
    Where pooled features go through one dense layer, the logit is a sum over the places of the feature map, and the addends
    are the map that Grad-CAM (Selvaraju et al., ICCV 2017) gives for that layer: Zhou et al., CVPR 2016.
    """
    if isinstance(model.output, dict):
        return _with_mask(model)
    features, dense = _pooled(model), model.get_layer(PROBABILITY) if _pooled(model) is not None else None
    outputs = [model.output] if features is None else [model.output, features]
    inner = keras.Model(model.inputs[0], outputs)

    def serve(images: Any) -> dict[str, Any]:
        found = inner(tf.cast(images, tf.float32), training=False)
        if dense is None:
            return {PROBABILITY: found[0] if isinstance(found, list) else found}
        addends = tf.tensordot(tf.cast(found[1], tf.float32), dense.kernel[:, 0], 1)
        return {PROBABILITY: found[0], HEAT: addends}

    return serve


def _with_mask(model: keras.Model) -> Callable[[Any], dict[str, Any]]:
    def serve(images: Any) -> dict[str, Any]:
        found = model(tf.cast(images, tf.float32), training=False)
        return {PROBABILITY: found[PROBABILITY], HEAT: found[MASK][..., 0]}

    return serve


def _pooled(model: keras.Model) -> Any:
    """The feature map (batch, rows, columns, channels) whose mean, by way of dropout alone, the head weighs; None if not so."""
    names = [layer.name for layer in model.layers]
    if names[-3:] != ["pooling", "dropout", PROBABILITY]:
        return None
    return model.get_layer("pooling").input


def signature(traits: Traits, batch: int | None = None) -> tf.TensorSpec:
    """What that function takes: uint8 (batch, size, size, 3)."""
    return tf.TensorSpec((batch, traits.image_size, traits.image_size, 3), tf.uint8, IMAGES)

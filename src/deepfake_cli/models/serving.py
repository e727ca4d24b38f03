"""The function that every export format contains, from crops to probabilities and heat maps, and its input."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.inference.runtimes.onnx import HEAT
from deepfake_cli.models.head import PROBABILITY

IMAGES = "images"  # the only input
MASK = "mask"  # output of a model trained with masks of the forged region, (batch, rows, columns, 1) in 0..1


def serving(model: keras.Model) -> Callable[[Any], dict[str, Any]]:
    """The function to export: from uint8 RGB crops to the probability of fake and, if the model allows, a heat map.

    A model trained with masks outputs its own map. Otherwise, if the head is one dense layer on pooled features, the logit
    is a sum over the positions of the feature map, and its terms are the heat map (Zhou et al., CVPR 2016), the same as
    Grad-CAM's for that layer (Selvaraju et al., ICCV 2017).
    """
    if isinstance(model.output, dict):
        return _with_mask(model)
    features, dense = _pooled(model), model.get_layer(PROBABILITY) if _pooled(model) is not None else None
    outputs = [model.output] if features is None else [model.output, features]
    inner = keras.Model(model.inputs[0], outputs)

    def serve(images: Any) -> dict[str, Any]:
        output = inner(tf.cast(images, tf.float32), training=False)
        if dense is None:
            return {PROBABILITY: output[0] if isinstance(output, list) else output}
        terms = tf.tensordot(tf.cast(output[1], tf.float32), dense.kernel[:, 0], 1)
        return {PROBABILITY: output[0], HEAT: terms}

    return serve


def _with_mask(model: keras.Model) -> Callable[[Any], dict[str, Any]]:
    def serve(images: Any) -> dict[str, Any]:
        output = model(tf.cast(images, tf.float32), training=False)
        return {PROBABILITY: output[PROBABILITY], HEAT: output[MASK][..., 0]}

    return serve


def _pooled(model: keras.Model) -> Any:
    """The feature map (batch, rows, columns, channels) that is pooled for the head; None if the model ends differently."""
    names = [layer.name for layer in model.layers]
    if names[-3:] != ["pooling", "dropout", PROBABILITY]:
        return None
    return model.get_layer("pooling").input


def signature(traits: Traits, batch: int | None = None) -> tf.TensorSpec:
    """The input of that function: uint8 (batch, size, size, 3)."""
    return tf.TensorSpec((batch, traits.image_size, traits.image_size, 3), tf.uint8, IMAGES)

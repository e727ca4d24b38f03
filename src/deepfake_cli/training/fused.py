"""Batch normalisation and Adam as one operation each.

Keras 3 builds both from some ten small operations, each of which passes over all values. As one operation each, training on a
CPU is 1.4 times as fast, on a GPU without XLA nearly twice (``benchmarks/README.md``), and the graph has half as many nodes.
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from deepfake_cli.models.keras_private import adam_moments, flatten_layers, inner_optimizer

IMAGES = 4  # dimensions: batch, rows, columns, channels


def fuse(model: keras.Model) -> None:
    """Make `model` faster, in training, if it is compiled and built, and in scoring.

    Only the methods of these objects are replaced: snapshots are those of plain Keras. Layers of other shapes, synchronised
    layers (several replicas), subclasses, other optimizers and models whose weights are not float32 stay as they are.
    """
    if any(weight.dtype != "float32" for weight in model.weights if "seed" not in weight.path):
        return
    for layer in flatten_layers(model):
        if type(layer) is keras.layers.BatchNormalization:
            layer.call = _normalised(layer)
    optimizer = inner_optimizer(getattr(model, "optimizer", None))
    if type(optimizer) in (keras.optimizers.Adam, keras.optimizers.AdamW) and not optimizer.amsgrad:
        optimizer.update_step = _adam(optimizer)


def _normalised(layer: Any) -> Callable[..., Any]:
    """`layer.call`, for a layer that normalises the channels of images."""
    plain = type(layer).call

    def call(inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        is_training = bool(training and layer.trainable)
        fits = len(inputs.shape) == IMAGES and layer.axis in (-1, IMAGES - 1) and inputs.dtype != tf.float64
        if not fits or mask is not None or layer.renorm or (layer.synchronized and is_training):
            return plain(layer, inputs, training=training, mask=mask)
        channels, averages = inputs.shape[-1], (layer.moving_mean, layer.moving_variance)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=layer.gamma.value if layer.scale else tf.ones(channels),
            offset=layer.beta.value if layer.center else tf.zeros(channels),
            mean=tf.constant([]) if is_training else averages[0].value,
            variance=tf.constant([]) if is_training else averages[1].value,
            epsilon=layer.epsilon,
            is_training=is_training,
        )
        if is_training:
            values = tf.cast(tf.size(inputs, tf.int64) // channels, tf.float32)
            biased = variance * ((values - 1) / values)  # which Keras averages; TensorFlow's is unbiased
            for average, new in zip(averages, (mean, biased), strict=True):
                average.assign(average * layer.momentum + new * (1.0 - layer.momentum))
        return outputs

    return call


def _adam(optimizer: Any) -> Callable[..., None]:
    """`optimizer.update_step`, with the same formula (Kingma and Ba, ICLR 2015, end of section 2)."""

    def update_step(gradient: Any, variable: Any, learning_rate: Any) -> None:
        first, second = adam_moments(optimizer, variable)
        step = tf.cast(optimizer.iterations.value + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=first.value.handle,
            v=second.value.handle,
            beta1_power=optimizer.beta_1**step,
            beta2_power=optimizer.beta_2**step,
            lr=tf.cast(learning_rate, tf.float32),
            beta1=optimizer.beta_1,
            beta2=optimizer.beta_2,
            epsilon=optimizer.epsilon,
            grad=tf.cast(tf.convert_to_tensor(gradient), tf.float32),
        )

    return update_step

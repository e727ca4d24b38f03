"""Faster forms of what Keras 3 builds from many operations, or from slow ones.

Batch normalisation and Adam are some ten small operations in Keras, each of which passes over all values. As one operation
each, training on a CPU is about 1.4 times as fast, and the graph has half as many nodes to trace and optimise.

cuDNN compiles a kernel for each depthwise convolution in half precision, for seconds, anew in each process. Here it is a sum of
shifted images, which XLA turns into one kernel that it keeps; without XLA, one of TensorFlow's own in single precision.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from deepfake_cli.models.keras_private import adam_moments, flatten_layers, inner_optimizer

IMAGES = 4  # dimensions: batch, rows, columns, channels


def fuse(model: keras.Model) -> None:
    """Make `model` faster, in training, if it is compiled and built, and in scoring.

    Only the methods of these objects are replaced: snapshots are those of plain Keras. Layers of other shapes, synchronised
    layers (several replicas), subclasses and other optimizers stay as they are.
    """
    for layer in flatten_layers(model):
        if type(layer) is keras.layers.BatchNormalization:
            layer.call = _normalised(layer)
        elif type(layer) is keras.layers.DepthwiseConv2D and on_gpu():
            layer.call = _depthwise(layer, model)
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


def on_gpu() -> bool:
    """Whether this process computes on a GPU."""
    return bool(tf.config.get_visible_devices("GPU"))


@contextmanager
def without_xla(model: keras.Model) -> Iterator[None]:
    """Trace functions of `model` for no XLA in the block: it would compile each for minutes, for each size of a batch."""
    before, model.jit_compile = model.jit_compile, False
    try:
        yield
    finally:
        model.jit_compile = before


def _depthwise(layer: Any, model: keras.Model) -> Callable[..., Any]:
    """`layer.call`, for a depthwise convolution of images."""
    plain = type(layer).call

    def call(inputs: Any) -> Any:
        dilated = any(step > 1 for step in layer.dilation_rate)
        if layer.data_format != "channels_last" or layer.depth_multiplier > 1 or dilated:
            return plain(layer, inputs)
        images, kernel = (tf.cast(value, tf.float32) for value in (inputs, tf.convert_to_tensor(layer.kernel)))
        if model.jit_compile is True:  # when a function of the model is traced; see `without_xla`
            outputs = shifted_sum(images, kernel[..., 0], layer.strides, layer.padding)
        else:
            outputs = tf.nn.depthwise_conv2d(images, kernel, (1, *layer.strides, 1), layer.padding.upper())
        outputs = tf.cast(outputs, inputs.dtype)
        if layer.use_bias:
            outputs += tf.cast(layer.bias.value, inputs.dtype)
        return outputs if layer.activation is None else layer.activation(outputs)

    return call


def shifted_sum(images: Any, kernel: Any, strides: tuple[int, int], padding: str) -> Any:
    """A depthwise convolution as a sum of shifted images, each multiplied by one weight per channel.

    Args:
        images: float32 (batch, rows, columns, channels).
        kernel: float32 (rows, columns, channels).
        strides: of rows and columns.
        padding: ``same`` or ``valid``, as in Keras.
    """
    sizes, (down, across) = kernel.shape[:2], strides
    before_after, lengths = [], []
    for size, length, step in zip(sizes, images.shape[1:3], strides, strict=True):
        most = -(-length // step) if padding == "same" else (length - size) // step + 1
        added = max(0, (most - 1) * step + size - length) if padding == "same" else 0
        before_after.append((added // 2, added - added // 2))
        lengths.append(most)
    images = tf.pad(images, [(0, 0), *before_after, (0, 0)])
    rows, columns = lengths
    return sum(
        images[:, y : y + (rows - 1) * down + 1 : down, x : x + (columns - 1) * across + 1 : across] * kernel[y, x]
        for y in range(sizes[0])
        for x in range(sizes[1])
    )


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

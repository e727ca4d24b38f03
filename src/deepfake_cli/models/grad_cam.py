"""Grad-CAM for any detector: Selvaraju et al., ICCV 2017, https://arxiv.org/abs/1610.02391.

A map shows which positions of the last feature map contributed to the score. It does not show where a face was forged. Its
resolution is that of the feature map: 7 x 7 for most models.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from deepfake_cli.errors import ModelError

BATCH = 4  # images at a time: gradients need as much memory as training


def heat_maps(model: keras.Model, images: NDArray[Any], threshold: float = 0.5) -> NDArray[np.float32]:
    """Return the Grad-CAM map of each image for its predicted class.

    For a score of at least `threshold`, the map shows the evidence for fake, otherwise the evidence for real. The logit is
    differentiated, since the probability has no gradient if the model is certain.

    Args:
        model: a functional detector, from (batch, rows, columns, 3) to the probability of fake, (batch, 1).
        images: (n, rows, columns, 3), RGB in 0..255, of the model's size.
        threshold: a score of at least this is predicted fake.

    Returns:
        float32 (n, rows, columns) in 0..1; the maximum of each map is 1. A map without evidence for the class is all 0.

    Raises:
        ModelError: the model has no feature map, or its feature map does not affect the output.
    """
    tensor, end = _feature_map(model), model.layers[-1]
    before = end.input if _is_sigmoid(end) else model.output
    try:
        inner = keras.Model(model.inputs, [tensor, before, model.output])
    except ValueError as error:
        raise ModelError(f"{model.name} cannot be split at its last feature map: {error}") from None
    maps = [_maps(inner, end, images[start : start + BATCH], threshold) for start in range(0, len(images), BATCH)]
    return np.concatenate(maps) if maps else np.zeros((0, *images.shape[1:3]), np.float32)


def _feature_map(model: keras.Model) -> Any:
    """The last tensor with spatial positions: a convolution's output, or the tokens that the last attention layer reads.

    After the last attention layer of a vision transformer, only the class token is used.
    """
    first = next(
        (index for index, layer in enumerate(model.layers) if layer.weights), 0
    )  # layers before it have only pixels
    for layer in reversed(model.layers[first:]):
        if isinstance(layer, keras.layers.MultiHeadAttention):
            return layer.input[0] if isinstance(layer.input, list | tuple) else layer.input
        tensor = keras.layers.Layer.output.fget(layer)  # for a nested model, its output within this one
        shape: tuple[Any, ...] = getattr(tensor, "shape", ())
        if len(shape) == 4 and min(shape[1] or 0, shape[2] or 0) > 1 and not isinstance(layer, keras.layers.InputLayer):
            return tensor
    raise ModelError(f"{model.name} has no feature map: no layer with an output (batch, rows, columns, channels).")


def _is_sigmoid(layer: Any) -> bool:
    return getattr(layer, "activation", None) is keras.activations.sigmoid


def _maps(inner: keras.Model, end: Any, images: NDArray[Any], threshold: float) -> NDArray[np.float32]:
    pixels = tf.convert_to_tensor(np.asarray(images, np.float32))
    with tf.GradientTape() as tape:
        tape.watch(pixels)  # a frozen model has no weights to watch
        features, before, scores = inner(pixels, training=False)
        logits = _logits(end, before)
    gradients = tape.gradient(logits, features)
    if gradients is None:
        raise ModelError(f"The last feature map of {inner.name} does not affect its output.")
    sign = np.where(scores.numpy().reshape(-1, 1, 1) >= threshold, 1, -1)
    evidence = _weighted_sum(tf.cast(features, "float32").numpy(), tf.cast(gradients, "float32").numpy())
    return _resized(np.maximum(sign * evidence, 0), images.shape[1:3])


def _logits(end: Any, before: Any) -> Any:
    """The logit; computed from the probability if the model does not end in a sigmoid."""
    before = tf.cast(before, "float32")
    if isinstance(end, keras.layers.Dense) and _is_sigmoid(end):
        logits = tf.linalg.matmul(before, end.kernel)
        return logits + end.bias if end.use_bias else logits
    if _is_sigmoid(end):
        return before
    likely = tf.clip_by_value(before, 1e-6, 1 - 1e-6)
    return tf.math.log(likely) - tf.math.log1p(-likely)


def _weighted_sum(features: NDArray[Any], gradients: NDArray[Any]) -> NDArray[Any]:
    """Sum over channels weighted by their mean gradient; tokens are arranged in a square, without the class token."""
    if features.ndim == 3:
        side = int(features.shape[1] ** 0.5)
        first = features.shape[1] - side * side
        shape = (-1, side, side, features.shape[2])
        features, gradients = features[:, first:].reshape(shape), gradients[:, first:].reshape(shape)
    return np.einsum("nrcd,nd->nrc", features, gradients.mean(axis=(1, 2)))


def _resized(maps: NDArray[Any], size: tuple[int, ...]) -> NDArray[np.float32]:
    """Resize maps to the images' size, and scale each to a maximum of 1."""
    large = tf.image.resize(maps[..., None], size, method="bilinear").numpy()[..., 0]
    highest = large.max(axis=(1, 2), keepdims=True)
    return np.divide(large, highest, out=np.zeros_like(large), where=highest > 0).astype(np.float32)

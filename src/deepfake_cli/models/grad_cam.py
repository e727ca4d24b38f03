"""Grad-CAM for any detector: Selvaraju et al., ICCV 2017, https://arxiv.org/abs/1610.02391.

A map says which places of the last feature map raised the score that was given; it does not say that a face was forged
there, and it is as coarse as that feature map: 7 x 7 places for most models.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from deepfake_cli.errors import ModelError

BATCH = 4  # images at a time: gradients need the memory of training


def heat_maps(model: keras.Model, images: NDArray[Any], threshold: float = 0.5) -> NDArray[np.float32]:
    """Return where each image has what speaks for the call that it gets.

    Of an image whose score is at least `threshold` the map shows what speaks for fake, of another what speaks for real.
    What is differentiated is the logit: the probability itself has no slope left where the model is sure.

    Args:
        model: a functional detector, from (batch, rows, columns, 3) to the probability of fake, (batch, 1).
        images: (n, rows, columns, 3), RGB in 0..255, of the model's size.
        threshold: a score of at least this is called fake.

    Returns:
        float32 (n, rows, columns), in 0..1; the strongest place of each map is 1. A map is 0 throughout where nothing
        speaks for the call.

    Raises:
        ModelError: the model has no feature map, or nothing of it reaches the output.
    """
    tensor, end = _feature_map(model), model.layers[-1]
    before = end.input if _is_sigmoid(end) else model.output
    try:
        inner = keras.Model(model.inputs, [tensor, before, model.output])
    except ValueError as error:
        raise ModelError(f"{model.name} cannot be cut at its last feature map: {error}") from None
    found = [_maps(inner, end, images[start : start + BATCH], threshold) for start in range(0, len(images), BATCH)]
    return np.concatenate(found) if found else np.zeros((0, *images.shape[1:3]), np.float32)


def _feature_map(model: keras.Model) -> Any:
    """The last tensor that still knows places: a convolution's map, or the tokens that the last attention reads.

    After the last attention of a vision transformer, only the class token goes on.
    """
    first = next((place for place, layer in enumerate(model.layers) if layer.weights), 0)  # before it are only pixels
    for layer in reversed(model.layers[first:]):
        if isinstance(layer, keras.layers.MultiHeadAttention):
            return layer.input[0] if isinstance(layer.input, list | tuple) else layer.input
        tensor = keras.layers.Layer.output.fget(layer)  # of a model within the model, its output in this one
        shape: tuple[Any, ...] = getattr(tensor, "shape", ())
        if len(shape) == 4 and min(shape[1] or 0, shape[2] or 0) > 1 and not isinstance(layer, keras.layers.InputLayer):
            return tensor
    raise ModelError(f"{model.name} has no layer with a map of places, (batch, rows, columns, channels).")


def _is_sigmoid(layer: Any) -> bool:
    return getattr(layer, "activation", None) is keras.activations.sigmoid


def _maps(inner: keras.Model, end: Any, images: NDArray[Any], threshold: float) -> NDArray[np.float32]:
    pixels = tf.convert_to_tensor(np.asarray(images, np.float32))
    with tf.GradientTape() as tape:
        tape.watch(pixels)  # a frozen model has no weight that would be watched
        features, before, scores = inner(pixels, training=False)
        logits = _logits(end, before)
    slopes = tape.gradient(logits, features)
    if slopes is None:
        raise ModelError(f"Nothing of the last feature map of {inner.name} reaches its output.")
    sign = np.where(scores.numpy().reshape(-1, 1, 1) >= threshold, 1, -1)
    places = _places(tf.cast(features, "float32").numpy(), tf.cast(slopes, "float32").numpy())
    return _stretched(np.maximum(sign * places, 0), images.shape[1:3])


def _logits(end: Any, before: Any) -> Any:
    """The value whose sigmoid is the probability; from the probability itself where the model ends in something else."""
    before = tf.cast(before, "float32")
    if isinstance(end, keras.layers.Dense) and _is_sigmoid(end):
        logits = tf.linalg.matmul(before, end.kernel)
        return logits + end.bias if end.use_bias else logits
    if _is_sigmoid(end):
        return before
    likely = tf.clip_by_value(before, 1e-6, 1 - 1e-6)
    return tf.math.log(likely) - tf.math.log1p(-likely)


def _places(features: NDArray[Any], slopes: NDArray[Any]) -> NDArray[Any]:
    """Grad-CAM's sum over channels, each weighed by its mean slope; tokens become a square, without the class token."""
    if features.ndim == 3:
        side = int(features.shape[1] ** 0.5)
        first = features.shape[1] - side * side
        shape = (-1, side, side, features.shape[2])
        features, slopes = features[:, first:].reshape(shape), slopes[:, first:].reshape(shape)
    return np.einsum("nrcd,nd->nrc", features, slopes.mean(axis=(1, 2)))


def _stretched(maps: NDArray[Any], size: tuple[int, ...]) -> NDArray[np.float32]:
    """Maps of the images' size, each with a highest value of 1."""
    large = tf.image.resize(maps[..., None], size, method="bilinear").numpy()[..., 0]
    highest = large.max(axis=(1, 2), keepdims=True)
    return np.divide(large, highest, out=np.zeros_like(large), where=highest > 0).astype(np.float32)

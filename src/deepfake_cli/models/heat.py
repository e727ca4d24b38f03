"""Heat maps in an exported detector: what each position of the last feature map adds to the logit, without gradients.

The logit of a detector is a sum over positions, plus what does not depend on them, if what follows the feature map is linear:

- a dense layer on pooled features: always (class activation maps, Zhou et al., CVPR 2016; for that layer the same as Grad-CAM,
  Selvaraju et al., ICCV 2017);
- dense layers with a ReLU between them, leaky or not: for each image, whose hidden units stay on their side of zero;
- a class token: as far as the last attention adds its values to it directly, without the dense layers after it (Gandelsman et
  al.: Interpreting CLIP's Image Representation via Text-Based Decomposition, ICLR 2024, https://arxiv.org/abs/2310.05916).

With a hard swish between dense layers, it is not: there the gradient of the logit stands for the sum (Grad-CAM).

The mean of a map is the sum of its terms, so it compares between resolutions.
"""

from collections.abc import Callable
from itertools import takewhile
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import layers

from deepfake_cli.models.head import PROBABILITY

FLATTENED = (layers.Flatten, layers.GlobalAveragePooling2D)
BENT = (layers.ReLU, layers.LeakyReLU, layers.Activation)
AFTER = (*FLATTENED, *BENT, layers.Dropout, layers.Dense)  # what may follow a feature map


class Heat(NamedTuple):
    """How to compute the heat maps of a model.

    Attributes:
        tensors: of the model, (batch, …).
        terms: from the values of these tensors, in order, to the maps, (batch, rows, columns).
    """

    tensors: list[Any]
    terms: Callable[..., Any]


def heat_of(model: keras.Model) -> Heat | None:
    """The heat maps of a model; None if what follows its feature map is of no kind above."""
    names = [layer.name for layer in model.layers]
    if names[-3:] == ["pooling", "dropout", PROBABILITY]:
        return _pooled(model)
    if {"norm_out", "features", PROBABILITY} <= set(names):
        return _class_token(model)
    return _dense(model)


def _pooled(model: keras.Model) -> Heat:
    kernel = model.get_layer(PROBABILITY).kernel
    features = model.get_layer("pooling").input  # (batch, rows, columns, channels)
    return Heat([features], lambda found: tf.tensordot(tf.cast(found, tf.float32), kernel[:, 0], 1))


def _dense(model: keras.Model) -> Heat | None:
    """The feature map times the gradient of the logit, which is the chain of the layers after the map."""
    tail = list(takewhile(lambda layer: isinstance(layer, AFTER), reversed(model.layers)))  # the last layer first
    places = (place for place, layer in enumerate(tail) if isinstance(layer, FLATTENED) and len(layer.input.shape) == 4)
    place = next(places, 0)
    if not place or tail[0].name != PROBABILITY or not all(map(_differentiable, tail[1:place])):
        return None
    last, *between, flattened = tail[: place + 1]
    _, rows, columns, _ = flattened.input.shape
    bent = [layer for layer in between if isinstance(layer, BENT)]

    def terms(features: Any, *values: Any) -> Any:
        features, *before = (tf.cast(each, tf.float32) for each in (features, *values))
        gradient = tf.transpose(last.kernel)  # (batch or 1, units)
        for layer in between:
            if isinstance(layer, layers.Dense):  # the small matrix is transposed: ONNX would store the kernel twice
                gradient = tf.transpose(tf.matmul(layer.kernel, gradient, transpose_b=True))
            elif isinstance(layer, BENT):
                gradient *= _slope(layer, before.pop(0))
        if isinstance(flattened, layers.GlobalAveragePooling2D):
            return tf.reduce_sum(features * gradient[:, None, None], axis=-1)
        weights = rows * columns * tf.reshape(gradient, (-1, *flattened.input.shape[1:]))
        return tf.reduce_sum(features * weights, axis=-1)

    return Heat([flattened.input, *(layer.input for layer in bent)], terms)


def _differentiable(layer: Any) -> bool:
    """Whether `_dense` knows the derivative of the layer."""
    if isinstance(layer, layers.ReLU):
        return layer.max_value is None and not layer.threshold
    if isinstance(layer, layers.Activation):
        return layer.activation is keras.activations.hard_silu
    return not isinstance(layer, layers.Dense) or layer.activation is keras.activations.linear


def _slope(layer: Any, before: Any) -> Any:
    """The derivative of an activation, given its input."""
    if isinstance(layer, layers.Activation):  # hard swish: x * clip(x / 6 + 1 / 2, 0, 1)
        return tf.where(before <= -3, 0.0, tf.where(before >= 3, 1.0, before / 3 + 0.5))
    return tf.where(before > 0, 1.0, float(layer.negative_slope))


def _class_token(model: keras.Model) -> Heat | None:
    attention = [layer for layer in model.layers if isinstance(layer, layers.MultiHeadAttention)][-1]
    norm, head = model.get_layer("norm_out"), model.get_layer(PROBABILITY)
    tokens = attention.input[0] if isinstance(attention.input, list | tuple) else attention.input
    patches = tokens.shape[1] - 1
    side = round(patches**0.5)

    def terms(found: Any, last: Any, features: Any) -> Any:
        found, last, features = (tf.cast(each, tf.float32) for each in (found, last, features))
        query, query_bias, key, key_bias, value, _, output, _ = (
            attention.weights
        )  # kernels (width, heads, width of a head)
        asked = tf.einsum("bd,dhk->bhk", found[:, 0], query) + query_bias
        keys = tf.einsum("bnd,dhk->bhnk", found, key) + key_bias[None, :, None]
        shares = tf.nn.softmax(tf.einsum("bhk,bhnk->bhn", asked, keys) * query.shape[-1] ** -0.5)
        towards = norm.gamma * head.kernel[:, 0]
        towards -= tf.reduce_mean(towards)  # the normalisation subtracts the mean
        seen = tf.einsum(
            "dhk,hk->dh", value, tf.einsum("hkd,d->hk", output, towards)
        )  # what a token's value adds, by head
        added = tf.einsum("bhn,bhn->bn", shares, tf.einsum("bnd,dh->bhn", found, seen))[:, 1:]
        scale = tf.math.reduce_std(last, axis=-1)  # (batch, 1)
        if any(isinstance(layer, layers.UnitNormalization) for layer in model.layers):
            scale *= tf.norm(features, axis=-1, keepdims=True)
        return tf.reshape(patches * added / scale, (-1, side, side))

    return Heat([tokens, norm.input, model.get_layer("features").output], terms)

"""Heat maps in an exported detector: what each position of the last feature map adds to the logit, without gradients.

The logit of a detector is a sum over positions, plus what does not depend on them, if what follows the feature map is linear:

- a dense layer on pooled features: always (class activation maps, Zhou et al., CVPR 2016; for that layer the same as Grad-CAM,
  Selvaraju et al., ICCV 2017);
- two dense layers with a leaky ReLU between them: for each image, whose hidden units stay on their side of zero;
- a class token: as far as the last attention adds its values to it directly, without the dense layers after it (Gandelsman et
  al.: Interpreting CLIP's Image Representation via Text-Based Decomposition, ICLR 2024, https://arxiv.org/abs/2310.05916).

The mean of a map is the sum of its terms, so it compares between resolutions.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import layers

from deepfake_cli.models.head import PROBABILITY

DENSE_HEAD = (layers.Flatten, layers.Dropout, layers.Dense, layers.LeakyReLU, layers.Dropout, layers.Dense)


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
    if tuple(map(type, model.layers[-len(DENSE_HEAD) :])) == DENSE_HEAD:
        return _dense(model)
    if {"norm_out", "features", PROBABILITY} <= set(names):
        return _class_token(model)
    return None


def _pooled(model: keras.Model) -> Heat:
    kernel = model.get_layer(PROBABILITY).kernel
    features = model.get_layer("pooling").input  # (batch, rows, columns, channels)
    return Heat([features], lambda found: tf.tensordot(tf.cast(found, tf.float32), kernel[:, 0], 1))


def _dense(model: keras.Model) -> Heat:
    flatten, _, hidden, activation, _, last = model.layers[-len(DENSE_HEAD) :]
    _, rows, columns, channels = flatten.input.shape

    def terms(features: Any, before: Any) -> Any:
        features, before = tf.cast(features, tf.float32), tf.cast(before, tf.float32)
        slope = tf.where(before > 0, 1.0, float(activation.negative_slope)) * last.kernel[:, 0]  # (batch, hidden)
        weights = tf.reshape(tf.matmul(slope, hidden.kernel, transpose_b=True), (-1, rows, columns, channels))
        return rows * columns * tf.reduce_sum(features * weights, axis=-1)

    return Heat([flatten.input, hidden.output], terms)


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

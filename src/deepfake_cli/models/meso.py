"""Meso4 and MesoInception4, small networks designed for forged faces.

Darius Afchar, Vincent Nozick, Junichi Yamagishi, Isao Echizen: MesoNet: a Compact Facial Video Forgery Detection
Network, WIFS 2018, https://arxiv.org/abs/1809.00888. Written from the paper. They have no ImageNet weights and start from
random ones.
"""

from typing import Any

import keras
from keras import layers

from deepfake_cli.models.head import probability


def meso4(input_shape: tuple[int, int, int], weights: str | None) -> keras.Model:
    """Return Meso-4: four convolutions, two dense layers; 27,977 trainable weights at 256 x 256.

    Args:
        input_shape: (rows, columns, 3), RGB in 0..255. The weights of the dense layers depend on this size.
        weights: ignored; there are no ImageNet weights.
    """
    inputs = keras.Input(input_shape)
    x = layers.Rescaling(1 / 255)(inputs)
    x = _convolution(x, 8, 3)
    x = _convolution(x, 8, 5)
    return _ending(inputs, x, "meso4")


def meso_inception4(input_shape: tuple[int, int, int], weights: str | None) -> keras.Model:
    """Return MesoInception-4: Meso-4 with two inception modules in front; 28,615 trainable weights at 256 x 256.

    Args:
        input_shape: (rows, columns, 3), RGB in 0..255. The weights of the dense layers depend on this size.
        weights: ignored; there are no ImageNet weights.
    """
    inputs = keras.Input(input_shape)
    x = layers.Rescaling(1 / 255)(inputs)
    x = _inception(x, (1, 4, 4, 2))
    x = _inception(x, (2, 4, 4, 2))
    return _ending(inputs, x, "meso_inception4")


def _convolution(x: Any, filters: int, size: int, pool: int = 2) -> Any:
    x = layers.Conv2D(filters, size, padding="same", activation="relu")(x)
    return layers.MaxPooling2D(pool, padding="same")(layers.BatchNormalization()(x))


def _inception(x: Any, filters: tuple[int, int, int, int]) -> Any:
    """Four branches: 1 x 1 alone, and 1 x 1 followed by 3 x 3 with a dilation of 1, 2 and 3."""
    branches = [layers.Conv2D(count, 1, padding="same", activation="relu")(x) for count in filters]
    for dilation in (1, 2, 3):
        wide = layers.Conv2D(filters[dilation], 3, dilation_rate=dilation, padding="same", activation="relu")
        branches[dilation] = wide(branches[dilation])
    return layers.MaxPooling2D(2, padding="same")(layers.BatchNormalization()(layers.Concatenate()(branches)))


def _ending(inputs: Any, x: Any, name: str) -> keras.Model:
    x = _convolution(x, 16, 5)
    x = _convolution(x, 16, 5, pool=4)
    x = layers.Dropout(0.5)(layers.Flatten()(x))
    x = layers.LeakyReLU(negative_slope=0.1)(layers.Dense(16)(x))
    return keras.Model(inputs, probability(layers.Dropout(0.5)(x)), name=name)

"""The end that every pretrained backbone shares: pooled features to one probability."""

from typing import Any

import keras
from keras import layers

PROBABILITY = "probability"  # the name of the output layer, the only one that a frozen backbone leaves trainable


def probability(features: Any) -> Any:
    """Return the output layer's tensor: the probability of fake, (batch, 1), float32 under any precision policy."""
    return layers.Dense(1, activation="sigmoid", dtype="float32", name=PROBABILITY)(features)


def classifier(inputs: Any, features: Any, name: str) -> keras.Model:
    """Return the model from `inputs` to the probability of fake, given a (batch, rows, columns, channels) map."""
    return ending(inputs, layers.GlobalAveragePooling2D(name="pooling")(features), name)


def ending(inputs: Any, features: Any, name: str) -> keras.Model:
    """Return the model from `inputs` to the probability of fake, given (batch, channels) features."""
    return keras.Model(inputs, probability(layers.Dropout(0.2, name="dropout")(features)), name=name)

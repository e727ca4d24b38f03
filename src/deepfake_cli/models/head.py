"""The head that follows every backbone: from pooled features to one probability."""

from typing import Any

import keras
from keras import layers

PROBABILITY = "probability"  # name of the output layer


def probability(features: Any) -> Any:
    """The output tensor: the probability of fake, (batch, 1), float32 under any precision policy."""
    return layers.Dense(1, activation="sigmoid", dtype="float32", name=PROBABILITY)(features)


def classifier(inputs: Any, features: Any, name: str) -> keras.Model:
    """The model from `inputs` to the probability of fake, given a feature map (batch, rows, columns, channels)."""
    return ending(inputs, layers.GlobalAveragePooling2D(name="pooling")(features), name)


def ending(inputs: Any, features: Any, name: str) -> keras.Model:
    """The model from `inputs` to the probability of fake, given features (batch, channels)."""
    return keras.Model(inputs, probability(layers.Dropout(0.2, name="dropout")(features)), name=name)

"""Several replicas train as one model on the whole batch: synchronised batch normalisation and gradient clipping."""

from typing import Any

import keras

from deepfake_cli.models.keras_private import clip_summed_gradients


def synchronize(model: Any) -> None:
    """Make the steps of `model`, which has several replicas and an optimizer, independent of how a batch is divided.

    Random layers and augmentation still draw for each part on its own.
    """
    synchronize_normalization(model)
    clip_summed_gradients(model.optimizer)


def synchronize_normalization(layer: Any) -> None:
    """Compute the mean and variance of batch normalisation over all replicas.

    The files stay those of one device: Keras on JAX or PyTorch refuses layers that are saved as synchronised.
    """
    for inner in getattr(layer, "layers", ()):
        synchronize_normalization(inner)
    if isinstance(layer, keras.layers.BatchNormalization):
        config = layer.get_config()
        layer.synchronized = True
        layer.get_config = lambda: dict(config)

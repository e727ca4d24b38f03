"""What makes several replicas of a model train as one does, on the whole batch: batch normalisation and clipping."""

from typing import Any

import keras


def as_one(model: Any) -> None:
    """Let `model`, which has several replicas and an optimizer, depend on whole batches, not on how they are divided.

    Random layers and changes still draw for each part by itself.
    """
    normalise_over_all(model)
    clip_over_all(getattr(model.optimizer, "inner_optimizer", model.optimizer))  # float16 wraps it, to scale the loss


def normalise_over_all(layer: Any) -> None:
    """Let batch normalisation take mean and variance over all replicas; so are the averages that it keeps the same on all.

    The files stay those of one device: Keras on JAX or PyTorch refuses layers that say they are synchronised.
    """
    for each in getattr(layer, "layers", ()):
        normalise_over_all(each)
    if isinstance(layer, keras.layers.BatchNormalization):
        config = layer.get_config()
        layer.synchronized = True
        layer.get_config = lambda: dict(config)


def clip_over_all(optimizer: Any) -> None:
    """Let an optimizer clip the sum of the replicas' gradients. Keras 3.15 clips each one's, and then adds them up."""
    if not optimizer.global_clipnorm:
        return
    add, clip = optimizer._all_reduce_sum_gradients, optimizer._clip_gradients

    def clipped(gradients: list[Any]) -> list[Any]:
        pairs = add(zip(gradients, optimizer._trainable_variables, strict=True))
        return clip([gradient for gradient, _ in pairs])

    optimizer._clip_gradients = clipped
    optimizer._all_reduce_sum_gradients = list  # they are added up

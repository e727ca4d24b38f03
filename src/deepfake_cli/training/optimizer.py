"""Optimizer and loss, and averaged weights."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras

from deepfake_cli.config import Train


def compiled(model: keras.Model, settings: Train, *, xla: bool = False) -> keras.Model:
    """Give a model the optimizer and the loss that settings ask for."""
    make = keras.optimizers.AdamW if settings.weight_decay else keras.optimizers.Adam
    optimizer = make(
        settings.lr,
        weight_decay=settings.weight_decay or None,  # Loshchilov and Hutter, "Decoupled Weight Decay", ICLR 2019
        global_clipnorm=settings.clip_norm or None,
        use_ema=bool(settings.ema),
        ema_momentum=settings.ema or 0.99,
    )
    loss = keras.losses.BinaryCrossentropy(label_smoothing=settings.label_smoothing)
    model.compile(optimizer, loss=loss, metrics=["accuracy"], jit_compile=xla)
    return model


@contextmanager
def averaged(model: keras.Model) -> Iterator[None]:
    """Put the moving average of the weights in their place for the block, if the optimizer keeps one."""
    swap(model)
    try:
        yield
    finally:
        swap(model)


def swap(model: keras.Model) -> None:
    """Exchange the weights and their moving average; batch norm's statistics stay."""
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)  # float16 wraps it, to scale the loss
    if not optimizer.use_ema:
        return
    for weight, average in zip(model.trainable_variables, optimizer._model_variables_moving_average, strict=True):
        value = keras.ops.copy(weight.value)
        weight.assign(average)
        average.assign(value)

"""Optimizer, loss, and averaged weights."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras

from deepfake_cli.config import Train
from deepfake_cli.models.keras_private import moving_averages


def compiled(
    model: keras.Model, settings: Train, *, xla: bool = False, optimizer: keras.optimizers.Optimizer | None = None
) -> keras.Model:
    """Compile a model with the loss of the settings and an optimizer, and return it.

    Args:
        model: to compile.
        settings: of the training.
        xla: whether to compile its steps with XLA.
        optimizer: None for the one of the settings.
    """
    make = keras.optimizers.AdamW if settings.weight_decay else keras.optimizers.Adam
    optimizer = optimizer or make(
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
    """Use the moving average of the weights within the block, if the optimizer keeps one."""
    swap_averages(model)
    try:
        yield
    finally:
        swap_averages(model)


@contextmanager
def kept_weights(optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """Keep `fit` from ending with averaged weights: training may go on in a second `fit`, with those that are not."""
    optimizer.finalize_variable_values = lambda weights: None
    try:
        yield
    finally:
        del optimizer.finalize_variable_values  # the method of the class is back


def swap_averages(model: keras.Model) -> None:
    """Exchange the weights with their moving averages, if there are; the statistics of batch normalisation stay."""
    averages = moving_averages(model.optimizer)
    for weight, average in zip(model.trainable_variables if averages else (), averages, strict=True):
        value = keras.ops.copy(weight.value)
        weight.assign(average)
        average.assign(value)

"""Whether XLA compiles the training step."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import keras

from deepfake_cli.config import Train
from deepfake_cli.distributed.devices import Plan
from deepfake_cli.errors import DeviceError, ModelError
from deepfake_cli.models.keras_private import flatten_layers

SLOW_TO_COMPILE = (keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)


def compiles(settings: Train, plan: Plan, model: keras.Model, *, own: bool = False) -> bool:
    """Whether XLA compiles the training step, by ``--xla`` and the device.

    On one GPU a step of ResNet50 is three times as fast with XLA, and compiled in a minute, once. The step of a model with
    depthwise convolutions was not compiled after more than a minute. On a CPU XLA is slower (``benchmarks/README.md``).

    Args:
        settings: of the training.
        plan: the devices.
        model: to train.
        own: whether the model is the user's own object.

    Raises:
        DeviceError: ``--xla on`` with several replicas, whose weights are on devices that one compiled step cannot reach.
    """
    if settings.xla == "on" and plan.replicas > 1:
        raise DeviceError(f"--xla on trains on one device. Received {plan.replicas} replicas: leave out --xla on.")
    if settings.xla != "auto":
        return settings.xla == "on"
    custom = own or any(":" in str(name) for name in (settings.model, settings.forgery, settings.degradation))
    slow = any(isinstance(layer, SLOW_TO_COMPILE) for layer in flatten_layers(model))
    return plan.kind == "gpu" and not custom and not slow


def refused(error: Exception, model: keras.Model) -> ModelError | None:
    """The error to raise if `error` says that XLA cannot compile the step of `model`."""
    found = (
        re.search(r"\(No registered '(\w+)' OpKernel for XLA_\w+ devices", str(error)) if model.jit_compile else None
    )
    return found and ModelError(f"XLA cannot compile {model.name}, which uses {found[1]}. Train it with --xla off.")


@contextmanager
def without_xla(model: keras.Model) -> Iterator[None]:
    """Trace functions of `model` for no XLA in the block: it would compile each, for each size of a batch."""
    before, model.jit_compile = model.jit_compile, False
    try:
        yield
    finally:
        model.jit_compile = before

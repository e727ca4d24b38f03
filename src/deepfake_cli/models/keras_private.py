"""All uses of Keras' private names, in one module, so that a Keras release that changes them breaks here and nowhere else.

`missing` lists the names that the installed Keras lacks; tests/models/test_keras_private.py fails with that list.
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras.src.backend.tensorflow import trainer

from deepfake_cli.errors import ModelError

TESTED = "3.15.1"  # the Keras release that these names were tested with

_LAYER = ("_flatten_layers",)
_OPTIMIZER = (
    "_all_reduce_sum_gradients",
    "_clip_gradients",
    "_get_variable_index",
    "_model_variables_moving_average",
    "_momentums",
    "_trainable_variables",
    "_velocities",
)
_TRAINER = ("_maybe_symbolic_build",)


def missing() -> list[str]:
    """Names used here that the installed Keras lacks, as ``Class.name``; empty if it has all of them."""
    inputs = keras.Input((1,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    optimizer = keras.optimizers.Adam(use_ema=True)
    optimizer.build(model.trainable_variables)
    owners = [(model, (*_LAYER, *_TRAINER)), (optimizer, _OPTIMIZER), (trainer, ("reduce_per_replica",))]
    return [f"{_name(owner)}.{name}" for owner, names in owners for name in names if not hasattr(owner, name)]


def flatten_layers(layer: Any, *, include_self: bool = True) -> list[Any]:
    """The layer, if `include_self`, and all layers inside it, at any depth."""
    return list(_get(layer, "_flatten_layers")(include_self=include_self))


def inner_optimizer(optimizer: Any) -> Any:
    """The optimizer inside a loss-scaling wrapper, which mixed_float16 adds."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def adam_moments(optimizer: Any, variable: Any) -> tuple[Any, Any]:
    """Adam's two averages for a trainable weight."""
    place = _get(optimizer, "_get_variable_index")(variable)
    return _get(optimizer, "_momentums")[place], _get(optimizer, "_velocities")[place]


def moving_averages(optimizer: Any) -> list[Any]:
    """The moving averages of the trainable weights, in their order; empty if the optimizer keeps none."""
    inner = inner_optimizer(optimizer)
    return list(_get(inner, "_model_variables_moving_average")) if inner.use_ema else []


def clip_summed_gradients(optimizer: Any) -> None:
    """Clip the norm of the gradients summed over the replicas, if the optimizer clips it at all.

    Keras 3.15 clips the gradients of each replica, then sums them.
    """
    inner = inner_optimizer(optimizer)
    if not inner.global_clipnorm:
        return
    reduce_sum, clip = _get(inner, "_all_reduce_sum_gradients"), _get(inner, "_clip_gradients")

    def clipped(gradients: list[Any]) -> list[Any]:
        pairs = reduce_sum(zip(gradients, _get(inner, "_trainable_variables"), strict=True))
        return clip([gradient for gradient, _ in pairs])

    inner._clip_gradients = clipped
    inner._all_reduce_sum_gradients = list  # they are summed already


def allow_several_workers(model: Any) -> None:
    """Work around two faults of `fit` on several workers in Keras 3.15; without effect on a Keras that has fixed them.

    1. `fit` starts with the mean of a batch over the workers, to build the model, and fails if a batch has several tensors.
       Our models are built already, so this step is skipped.
    2. `fit` averages the metrics of a step over the workers along their first axis, which scalars lack: they are given one.
    """
    if not builds_from_several_tensors(model.distribute_strategy):
        _get(model, "_maybe_symbolic_build")
        model._maybe_symbolic_build = lambda **batches: None
    if not averages_scalars(model.distribute_strategy):
        step: Callable[[Any], dict[str, Any]] = model.train_step
        model.train_step = lambda batch: {name: value[None] for name, value in step(batch).items()}


def builds_from_several_tensors(strategy: tf.distribute.Strategy) -> bool:
    """Whether Keras can average a batch of several tensors over the workers."""
    parts = strategy.distribute_datasets_from_function(
        lambda _: tf.data.Dataset.from_tensors((tf.zeros(1), tf.zeros(1)))
    )
    model = trainer.TensorFlowTrainer.__new__(trainer.TensorFlowTrainer)
    model._distribute_strategy, model._symbolic_build = strategy, lambda data_batch: None
    try:
        _get(model, "_maybe_symbolic_build")(iterator=[(0, 0, iter(parts))])
    except ValueError:
        return False
    return True


def averages_scalars(strategy: tf.distribute.Strategy) -> bool:
    """Whether Keras can average a scalar over the workers."""
    try:
        _get(trainer, "reduce_per_replica")(tf.zeros(()), strategy, "auto")
    except (ValueError, tf.errors.InvalidArgumentError):
        return False
    return True


def _get(owner: Any, name: str) -> Any:
    """A private attribute of Keras.

    Raises:
        ModelError: the installed Keras lacks it; the message names a release that has it.
    """
    try:
        return getattr(owner, name)
    except AttributeError:
        raise ModelError(
            f"Keras {keras.__version__} has no {_name(owner)}.{name}. Install a supported release: "
            f"pip install 'keras=={TESTED}'."
        ) from None


def _name(owner: Any) -> str:
    return getattr(owner, "__name__", type(owner).__name__)

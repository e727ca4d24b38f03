"""The state in the middle of an epoch, in one ``.keras`` file: model, optimizer, and what Keras doesn't save."""

import json
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from deepfake_cli.errors import ModelError
from deepfake_cli.runs.files import DELETE, PROGRESS, STATE
from deepfake_cli.runs.resume import Start
from deepfake_cli.training.fused import fuse
from deepfake_cli.training.optimizer import swap_averages


def save(model: keras.Model, path: Path, epoch: int, step: int) -> None:
    """Save `model` as ``.keras``; a further entry of the archive holds epoch, step, random seeds and metric sums.

    JSON keeps the numbers to the bit: every float32 is exact as a Python float and as its text.
    """
    model.save(path)
    values = {"epoch": epoch, "step": step, "seeds": _values(_seeds(model)), "sums": _values(model.metrics_variables)}
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(PROGRESS, json.dumps(values))


def restore(model: keras.Model, progress: dict[str, Any]) -> None:
    """Restore the seeds and metric sums of a `built` model that `save` wrote.

    Args:
        model: the model.
        progress: the further entry of the archive, see `save`.

    Raises:
        ModelError: the entry is that of another model.
    """
    try:
        for variable, value in zip(_seeds(model), progress["seeds"], strict=True):
            variable.assign(value)
        for variable, value in zip(model.metrics_variables, progress["sums"], strict=True):
            variable.assign(value)
    except (ValueError, TypeError) as error:
        raise ModelError(f"{STATE}: {PROGRESS} does not fit the model: {error}. {DELETE}") from None


def reseed(model: keras.Model, seed: int, epoch: int) -> None:
    """Seed the random layers from the run's seed and the epoch: Keras doesn't save their state, so a resumed run would differ."""
    random = np.random.default_rng([seed, epoch])
    for variable in _seeds(model):
        variable.assign(random.integers(2**31, size=2))


def is_finite(model: keras.Model) -> bool:
    """Whether all weights are finite: a step with a finite loss may still spoil them."""
    return all(np.isfinite(keras.ops.convert_to_numpy(weight)).all() for weight in model.weights)


def built(model: keras.Model, start: Start) -> keras.Model:
    """Make a compiled model ready for its first step, and return it.

    This creates the variables of optimizer and metrics: a step that creates them is traced twice, which takes seconds. It
    also makes the step faster, see `fuse`. A snapshot of an epoch holds averaged weights, if there are: training continues
    with those that are not averaged.
    """
    if model.optimizer.built and not start.progress:
        swap_averages(model)
    with model.distribute_strategy.scope():
        model.optimizer.build(model.trainable_variables)
    tf.function(_update_metrics)(model)
    fuse(model)
    return model


def _update_metrics(model: keras.Model) -> None:
    """Update the metrics with an empty batch; `fit` resets them at the start of an epoch."""
    zeros = tf.zeros((1, 1))
    model.distribute_strategy.run(model.compute_metrics, (None, zeros, zeros))


def _seeds(model: keras.Model) -> list[Any]:
    return [variable for variable in model.variables if variable.path.endswith("seed_generator_state")]


def _values(variables: list[Any]) -> list[Any]:
    return [keras.ops.convert_to_numpy(variable).tolist() for variable in variables]

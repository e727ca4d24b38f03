"""The whole state in the middle of an epoch, in one file: a model with its optimizer, and what Keras leaves out of it."""

import json
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from deepfake_cli.runs.listing import PROGRESS
from deepfake_cli.runs.resume import Start
from deepfake_cli.training.optimizer import swap


def save(model: keras.Model, path: Path, epoch: int, step: int) -> None:
    """Write `model` as ``.keras``, with its place in the run, random seeds and running sums as one more entry.

    Numbers pass through JSON to the bit: a float32 is exact as a Python float, whose text is exact too.
    """
    model.save(path)
    kept = {"epoch": epoch, "step": step, "seeds": _values(_seeds(model)), "sums": _values(model.metrics_variables)}
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(PROGRESS, json.dumps(kept))


def restore(model: keras.Model, progress: dict[str, Any]) -> None:
    """Give a model that was read from such a file, and is `made`, its seeds and sums back."""
    for variable, value in zip(_seeds(model), progress["seeds"], strict=True):
        variable.assign(value)
    for variable, value in zip(model.metrics_variables, progress["sums"], strict=True):
        variable.assign(value)


def reseed(model: keras.Model, seed: int, epoch: int) -> None:
    """Make the random layers' state depend on seed and epoch alone: Keras doesn't save it, so a resumed run would differ."""
    random = np.random.default_rng([seed, epoch])
    for variable in _seeds(model):
        variable.assign(random.integers(2**31, size=2))


def is_sound(model: keras.Model) -> bool:
    """Whether every weight is a number: a step may spoil them after its loss was one."""
    return all(np.isfinite(keras.ops.convert_to_numpy(weight)).all() for weight in model.weights)


def made(model: keras.Model, start: Start) -> keras.Model:
    """Let the optimizer and the metrics of a model make their variables, which they do at the first step.

    A step that makes variables is traced a second time without, which takes seconds. Snapshots of an epoch hold averaged
    weights, where there are: training goes on with the others.
    """
    if model.optimizer.built and not start.progress:
        swap(model)
    with model.distribute_strategy.scope():
        model.optimizer.build(model.trainable_variables)
    tf.function(_make_sums)(model)
    return model


def _make_sums(model: keras.Model) -> None:
    """Hand the metrics a batch; what they sum here is reset as the epoch begins."""
    nothing = tf.zeros((1, 1))
    model.distribute_strategy.run(model.compute_metrics, (None, nothing, nothing))


def _seeds(model: keras.Model) -> list[Any]:
    return [variable for variable in model.variables if variable.path.endswith("seed_generator_state")]


def _values(variables: list[Any]) -> list[Any]:
    return [keras.ops.convert_to_numpy(variable).tolist() for variable in variables]

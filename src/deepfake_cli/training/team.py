"""Several machines that train one model: what they agree on, how they share the work, and what the chief alone does.

All workers run the same program. What decides anything is the same on all of them, or is agreed on; what is written is
written by the chief.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf
from keras.src.backend.tensorflow import trainer

from deepfake_cli.config import Train
from deepfake_cli.distributed import devices
from deepfake_cli.errors import ConfigError, DeviceError
from deepfake_cli.runs import recipe
from deepfake_cli.runs.resume import FREE, Start, lists_of
from deepfake_cli.storage.remote import here
from deepfake_cli.training import input_pipeline
from deepfake_cli.training.global_batch import as_one
from deepfake_cli.training.scoring import image_size, scores, unreadable

LOST = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError)
PLACES = {"train_csv", "val_annotations", "run", "snapshot_path", "weights", "snapshot"}  # may differ: see `facts`

# an epoch, a step of it, and parts of `deepfake_cli.training.input_pipeline.training_batches`
Make = Callable[..., tf.data.Dataset]


class Team:
    """The replicas of a model on one machine or several.

    Args:
        plan: the devices, on all machines.
        strategy: as `deepfake_cli.distributed.devices.open_strategy` returns it.
    """

    def __init__(self, plan: devices.Plan, strategy: tf.distribute.Strategy):
        self.cluster, self.replicas, self.strategy = plan.cluster, plan.replicas, strategy
        self._sum = tf.function(lambda values: strategy.reduce("SUM", values, axis=None))
        self._forward: Callable[[Any], Any] | None = None

    def prepare(self, model: Any) -> None:
        """Let `model`, whose variables are all made, train on all replicas as on one."""
        self.unite(model)
        if self.cluster:
            contain(model)

    def unite(self, model: Any) -> None:
        """Let all replicas normalise and clip as one; again, when a model was given another optimizer."""
        if self.replicas > 1:
            as_one(model)

    def batches(self, make: Make, epoch: int, step: int) -> tf.data.Dataset:
        """The training batches from a step of an epoch on, or this worker's parts of them."""
        cluster = self.cluster
        if not cluster:
            return make(epoch, step)
        each = self.replicas // cluster.size
        here = range(cluster.rank * each, (cluster.rank + 1) * each)
        return self.strategy.distribute_datasets_from_function(
            lambda _: make(epoch, step, replicas=self.replicas, here=here)
        )

    def agree(self, *flags: bool) -> list[bool]:
        """Each flag, or whether any worker raises it. All of them must ask at the same place."""
        return [value > 0 for value in self.sum(np.array(flags, np.float32))] if self.cluster else list(flags)

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Sum float32 values, (n,), over the workers, to the bit the same on all."""
        assert self.cluster
        found = self._sum(tf.constant(np.append(values, np.float32(1)))).numpy()
        return found[:-1] * (self.cluster.size / found[-1])  # a machine with several GPUs counted once for each

    def scores(self, model: Any, table: pd.DataFrame, *, batch_size: int, **how: Any) -> np.ndarray:
        """Score every frame of a list, as `deepfake_cli.training.scoring.scores` does; each worker some of the batches.

        The figures that follow are the same on all workers, so that they decide alike on rate, threshold and end.
        """
        if not self.cluster:
            return scores(model, table, batch_size=batch_size, **how)
        mine = np.flatnonzero(np.arange(len(table)) // batch_size % self.cluster.size == self.cluster.rank)
        found = np.zeros(len(table), np.float32)
        if len(mine):
            found[mine] = self._own_scores(model, table.iloc[mine], mine, batch_size, how["workers"], how["change"])
        return self.sum(found).astype(np.float64)

    def _own_scores(
        self, model: Any, table: pd.DataFrame, places: np.ndarray, batch_size: int, threads: int | None, change: Any
    ) -> np.ndarray:
        """Without Keras' `predict`, which would wait for the others at each batch."""
        if self._forward is None:
            self._forward = tf.function(lambda images: model(images, training=False), reduce_retracing=True)
        size = image_size(model)
        batches = input_pipeline.scoring_batches(
            table, image_size=size, batch_size=batch_size, workers=threads, change=change, places=places
        )
        try:
            return np.concatenate([self._forward(images).numpy()[:, 0] for images in batches])
        except tf.errors.OpError as error:
            raise unreadable(table, error) from None

    def told(self, error: Exception) -> Exception | None:
        """What an error means if another worker is gone; TensorFlow notices within some ten seconds."""
        if not self.cluster or not (isinstance(error, LOST) or "ollective" in str(error)):
            return None
        return DeviceError(
            f"{self.cluster} lost another worker: it failed, was stopped or can't be reached; see what it printed. All have to "
            "be started again; launchers do so by themselves, and with --run NAME --resume-if-there training goes on."
        )


def check(settings: Train, plan: devices.Plan) -> None:
    """Check that several machines can train so.

    Raises:
        ConfigError: a batch can't be divided equally, or the run has no name by which all find it.
    """
    if plan.cluster and settings.batch_size % plan.replicas:
        raise ConfigError(
            f"--batch-size {settings.batch_size} can't be divided over {plan.replicas} replicas on {plan.cluster.size} "
            f"machines: it counts the images of all of them together. Choose a multiple of {plan.replicas}."
        )
    if plan.cluster and not (settings.run or settings.snapshot_path or settings.resume):
        raise ConfigError("Several machines train one run, in a folder that they share: name it with --run NAME.")


def facts(settings: Train, start: Start) -> dict[str, Any]:
    """What has to be the same on all workers; files by their content, wherever each machine has them."""
    files = [settings.snapshot, settings.weights, start.file]
    return {
        "the packages": recipe.versions(),
        "options": settings.model_dump(mode="json", exclude=FREE | PLACES) | {"epochs": settings.epochs},
        "the lists": list(recipe.fingerprint(lists_of(settings)).values()),
        "the state to go on from": str(start) if start.file else "none",
        "the file to begin with": list(
            recipe.fingerprint(path for path in files if path and here(path).is_file()).values()
        ),
    }


def contain(model: Any) -> None:
    """Let Keras' `fit` run on several machines in spite of two faults of Keras 3.15; where they are mended, do nothing.

    `fit` begins with a mean of a batch over the workers, to build the model by, and fails where a batch is no single
    tensor: `model` is built, so that may fail. Then it takes the mean of a step's figures over the workers along their
    first axis, which scalars don't have: so they get one.
    """
    if not builds(model.distribute_strategy):
        model._maybe_symbolic_build = lambda **batches: None
    if not takes_means(model.distribute_strategy):
        step = model.train_step
        model.train_step = lambda batch: {name: value[None] for name, value in step(batch).items()}


def builds(strategy: tf.distribute.Strategy) -> bool:
    """Whether Keras averages a batch of several tensors over the workers."""
    parts = strategy.distribute_datasets_from_function(
        lambda _: tf.data.Dataset.from_tensors((tf.zeros(1), tf.zeros(1)))
    )
    model = trainer.TensorFlowTrainer.__new__(trainer.TensorFlowTrainer)
    model._distribute_strategy, model._symbolic_build = strategy, lambda data_batch: None
    try:
        model._maybe_symbolic_build(iterator=[(0, 0, iter(parts))])
    except ValueError:
        return False
    return True


def takes_means(strategy: tf.distribute.Strategy) -> bool:
    """Whether Keras takes the mean of a scalar over the workers."""
    try:
        trainer.reduce_per_replica(tf.zeros(()), strategy, "auto")
    except (ValueError, tf.errors.InvalidArgumentError):
        return False
    return True

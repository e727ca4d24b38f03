"""Several workers that train one model: what they agree on, and how they share the work.

All workers run the same program. Every decision is the same on all of them, or agreed on. Only the chief writes files.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

from deepfake_cli.config import Train
from deepfake_cli.distributed import devices
from deepfake_cli.errors import ConfigError, DeviceError
from deepfake_cli.models.keras_private import allow_several_workers
from deepfake_cli.runs import recipe
from deepfake_cli.runs.resume import FREE, Start, lists_of
from deepfake_cli.storage.downloads import is_there
from deepfake_cli.training import input_pipeline
from deepfake_cli.training.global_batch import synchronize
from deepfake_cli.training.scoring import image_size, scores, unreadable

LOST = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError)
# settings that may differ between workers, see `shared_facts`
PATHS = {"train_csv", "val_annotations", "run", "snapshot_path", "weights", "snapshot"}

# (epoch, step, and parts of `deepfake_cli.training.input_pipeline.training_batches`) to batches
MakeBatches = Callable[..., tf.data.Dataset]


class Team:
    """The replicas of a model, on one machine or several.

    Args:
        plan: the devices, on all machines.
        strategy: as `deepfake_cli.distributed.devices.open_strategy` returns it.
    """

    def __init__(self, plan: devices.Plan, strategy: tf.distribute.Strategy):
        self.workers, self.replicas, self.strategy = plan.workers, plan.replicas, strategy
        self._sum = tf.function(lambda values: strategy.reduce("SUM", values, axis=None))
        self._forward: Callable[[Any], Any] | None = None

    def prepare(self, model: Any) -> None:
        """Make `model`, whose variables all exist, train on all replicas as on one."""
        self.synchronize(model)
        if self.workers:
            allow_several_workers(model)

    def synchronize(self, model: Any) -> None:
        """Make all replicas normalise and clip as one; call it again after the model gets another optimizer."""
        if self.replicas > 1:
            synchronize(model)

    def batches(self, make: MakeBatches, epoch: int, step: int) -> tf.data.Dataset:
        """The training batches from a step of an epoch on; this worker's parts of them, if there are several."""
        workers = self.workers
        if not workers:
            return make(epoch, step)
        per_worker = self.replicas // workers.size
        parts = range(workers.rank * per_worker, (workers.rank + 1) * per_worker)
        return self.strategy.distribute_datasets_from_function(
            lambda _: make(epoch, step, replicas=self.replicas, parts=parts)
        )

    def agree(self, *flags: bool) -> list[bool]:
        """Whether any worker raises each flag. All workers must call this at the same step."""
        return [value > 0 for value in self.sum(np.array(flags, np.float32))] if self.workers else list(flags)

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Sum float32 values, (n,), over the workers; the result is identical on all of them."""
        assert self.workers
        sums = self._sum(tf.constant(np.append(values, np.float32(1)))).numpy()
        return sums[:-1] * (self.workers.size / sums[-1])  # a worker with several GPUs counts once for each

    def scores(self, model: Any, table: pd.DataFrame, *, batch_size: int, **options: Any) -> np.ndarray:
        """Score a list as `deepfake_cli.training.scoring.scores` does; each worker scores some of the batches.

        All workers get all scores, so they compute the same learning rate, threshold and end.
        """
        if not self.workers:
            return scores(model, table, batch_size=batch_size, **options)
        own = np.flatnonzero(np.arange(len(table)) // batch_size % self.workers.size == self.workers.rank)
        result = np.zeros(len(table), np.float32)
        if len(own):
            result[own] = self._score_own(
                model, table.iloc[own], own, batch_size, options["workers"], options["change"]
            )
        return self.sum(result).astype(np.float64)

    def _score_own(
        self, model: Any, table: pd.DataFrame, places: np.ndarray, batch_size: int, threads: int | None, change: Any
    ) -> np.ndarray:
        """Score this worker's part, without Keras' `predict`, which waits for the other workers at each batch."""
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

    def lost_worker(self, error: Exception) -> DeviceError | None:
        """The error to raise if `error` means that another worker is gone; TensorFlow detects that within about ten seconds."""
        if not self.workers or not (isinstance(error, LOST) or "ollective" in str(error)):
            return None
        return DeviceError(
            f"{self.workers}: lost another worker. It failed, was stopped or cannot be reached; see its output. Start all "
            "workers again. Launchers do so by themselves, and --run NAME --resume-if-there resumes the run."
        )


def check_workers(plan: devices.Plan, *, batch_size: int | str, named: bool) -> None:
    """Check that several workers can train with this batch size.

    Args:
        plan: the devices.
        batch_size: images per step, over all workers; or ``"auto"``.
        named: whether the user named the run.

    Raises:
        ConfigError: a batch cannot be divided equally, its size is auto, or the run has no name by which all workers find it.
    """
    if plan.workers and isinstance(batch_size, str):
        raise ConfigError(
            f"--batch-size {batch_size} works on one machine only: give {plan.workers.size} workers a number, the same for all."
        )
    if plan.workers and batch_size % plan.replicas:
        raise ConfigError(
            f"--batch-size {batch_size} cannot be divided over {plan.replicas} replicas on {plan.workers.size} machines. "
            f"It counts the images of all machines together: choose a multiple of {plan.replicas}."
        )
    if plan.workers and not named:
        raise ConfigError("Several workers train one run in a shared folder. Name it with --run NAME.")


def shared_facts(settings: Train, start: Start) -> dict[str, Any]:
    """The facts that must be the same on all workers; files by content, since their paths may differ between machines."""
    files = [settings.snapshot, settings.weights, start.file]
    lists = lists_of(settings.train_csv, settings.val_annotations, evaluation=settings.evaluation)
    return {
        "the packages": recipe.versions(),
        "options": settings.model_dump(mode="json", exclude=FREE | PATHS) | {"epochs": settings.epochs},
        "the lists": list(recipe.fingerprint(lists).values()),
        "the state to resume from": str(start) if start.file else "none",
        "the file to start from": list(recipe.fingerprint(path for path in files if path and is_there(path)).values()),
    }

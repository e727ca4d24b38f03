"""The Keras callbacks of training: one duty each. `training_callbacks` is the only place that puts them in order."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from deepfake_cli.metrics.figures import best_threshold, figures
from deepfake_cli.metrics.videos import best_pool, video_scores
from deepfake_cli.runs.run import Run
from deepfake_cli.training import checkpoint
from deepfake_cli.training.events import Ended, Phase, Progress, Stepped, diverged
from deepfake_cli.training.optimizer import averaged
from deepfake_cli.training.schedule import changes_every_step, learning_rate
from deepfake_cli.training.team import Team
from deepfake_cli.training.tensorboard import EventWriter

MINUTE = 60  # seconds

Logs = dict[str, Any] | None


@dataclass
class Loop:
    """What the callbacks share: the current step, and the results of the current epoch.

    Attributes:
        epoch: the current epoch, from 1.
        step: finished steps of it.
        loss: the mean over the epoch, as of the step before the last; see `TerminateOnNaN`.
        unread: the last step, and its loss, which may still be computed.
        metrics: the epoch's row of the recipe's history.
        scores: of the validation list, float64 (frames,) in 0..1; None without one.
        ends: why training ends before its last epoch; None if it doesn't.
        snapshot: file of the epoch's snapshot.
        best: whether it is the best so far.
    """

    epoch: int = 0
    step: int = 0
    loss: float = math.nan
    unread: tuple[int, Any] | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    scores: np.ndarray | None = None
    ends: str | None = None
    snapshot: Path | None = None
    best: bool = False


def training_callbacks(
    run: Run,
    validation: pd.DataFrame | None,
    progress: Progress,
    *,
    steps: int,
    team: Team,
    stopping: Callable[[], bool],
    events: EventWriter | None,
    change: Callable[..., Any] | None = None,
) -> list[keras.callbacks.Callback]:
    """The callbacks of a run, in the order in which Keras calls each of their hooks.

    The order matters: a step is counted and checked before it is saved, and an epoch is measured before it is saved, saved
    before it is reported.

    Args:
        run: its folder, settings and start.
        validation: list to validate on; None for no validation.
        progress: called after every step and epoch.
        steps: of an epoch.
        team: the replicas that train.
        stopping: whether the user asked to stop.
        events: writes TensorBoard's events; None for workers other than the chief.
        change: applied to validation batches, as in `deepfake_cli.training.input_pipeline.scoring_batches`.
    """
    loop = Loop()
    save = Checkpoint(run, loop, team, stopping)
    return [
        RestoreState(run, loop),
        LearningRate(run, loop, steps),
        TerminateOnNaN(run, loop),
        Validation(run, loop, validation, team, stopping, change, save.save_state, progress),
        EarlyStopping(run, loop),
        save,
        ProgressEvents(loop, progress),
        *([TensorBoard(loop, events)] if events else []),
    ]


class RestoreState(keras.callbacks.Callback):
    """Count epochs and steps, seed the random layers of each epoch, and restore the state in the middle of one."""

    def __init__(self, run: Run, loop: Loop):
        super().__init__()
        self.run, self.loop, self.skipped = run, loop, 0

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Seed the epoch, or restore seeds and metrics if the run resumes in its middle."""
        start = self.run.start
        self.loop.epoch = epoch + 1
        self.skipped = self.loop.step = start.step if start.epoch == epoch else 0
        checkpoint.reseed(self.model, self.run.settings.seed, self.loop.epoch)
        if start.progress and self.skipped:
            checkpoint.restore(self.model, start.progress)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Count the step."""
        self.loop.step = self.skipped + batch + 1


class LearningRate(keras.callbacks.Callback):
    """Set the learning rate: before each epoch, and before each step if the schedule changes it there."""

    def __init__(self, run: Run, loop: Loop, steps: int):
        super().__init__()
        self.run, self.loop, self.steps = run, loop, steps
        self.every_step = changes_every_step(run.settings.schedule, run.settings.warmup)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Set the rate of the epoch's first step."""
        self._set()

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Set the rate of this step."""
        if self.every_step:
            self._set()

    def _set(self) -> None:
        done = self.loop.epoch - 1 + (self.loop.step + 1) / self.steps
        self.model.optimizer.learning_rate = learning_rate(self.run.settings, self.run.losses(), done)


class TerminateOnNaN(keras.callbacks.Callback):
    """Stop with an error at a loss or weight that is NaN or infinite, before anything is saved.

    Reading a loss waits until the device has computed it. So a loss is read one step later, while the device computes the next.
    """

    def __init__(self, run: Run, loop: Loop):
        super().__init__()
        self.run, self.loop = run, loop

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Check the loss of the step before; in the first step that of this one."""
        check_loss(self.run, self.loop)
        self.loop.unread = self.loop.step, (logs or {})["loss"]
        if batch == 0:
            check_loss(self.run, self.loop)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Check the last loss, and the weights."""
        check_loss(self.run, self.loop)
        check_weights(self.model, self.run, self.loop)


class Validation(keras.callbacks.Callback):
    """Compute the metrics of each epoch: loss, accuracy and learning rate, and those of the validation list."""

    def __init__(
        self,
        run: Run,
        loop: Loop,
        validation: pd.DataFrame | None,
        team: Team,
        stopping: Callable[[], bool],
        change: Callable[..., Any] | None,
        save_state: Callable[[], None],
        progress: Progress,
    ):
        super().__init__()
        self.run, self.loop, self.validation, self.team = run, loop, validation, team
        self.stopping, self.change, self.save_state = stopping, change, save_state
        self.progress = progress

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Measure the averaged weights, if there are; save the state if the user stops meanwhile."""
        logs = logs or {}
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self.loop.metrics = {
            "epoch": self.loop.epoch,
            "loss": float(logs["loss"]),
            "accuracy": float(logs["accuracy"]),
            "lr": rate,
        }
        if self.validation is None:
            return
        self.progress(Phase("validating"))
        try:
            with averaged(self.model):
                self.loop.scores = self._scores(self.validation)
            self.loop.metrics |= validation_metrics(self.validation, self.loop.scores)
        except KeyboardInterrupt:  # caught outside of `averaged`: a state holds the weights that are not averaged
            self.save_state()
            raise

    def _scores(self, validation: pd.DataFrame) -> np.ndarray:
        settings = self.run.settings
        return self.team.scores(
            self.model,
            validation,
            batch_size=settings.batch,
            workers=settings.workers,
            progress=lambda done, total: self._stop_if_asked(),
            change=self.change,
        )

    def _stop_if_asked(self) -> None:
        if self.stopping():
            raise KeyboardInterrupt


class EarlyStopping(keras.callbacks.Callback):
    """End training when the validation AUC has stopped rising."""

    def __init__(self, run: Run, loop: Loop):
        super().__init__()
        self.run, self.loop = run, loop

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Decide by the AUC of the epochs so far."""
        self.loop.ends = self.run.ended_by(self.loop.metrics)
        self.model.stop_training = self.loop.ends is not None


class Checkpoint(keras.callbacks.Callback):
    """Save the state every few minutes or steps and when the user stops, and a snapshot after each epoch."""

    def __init__(self, run: Run, loop: Loop, team: Team, stopping: Callable[[], bool]):
        super().__init__()
        self.run, self.loop, self.team, self.stopping = run, loop, team, stopping
        self.saved_at = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Save the state if it is due; stop if any worker was asked to."""
        save, stop = self.team.agree(self._is_due() and self.run.writes, self.stopping())
        if save or stop:
            self.save_state()
        if stop:
            raise KeyboardInterrupt

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Save the snapshot, with averaged weights if there are, and ``best.keras`` if it is the best."""
        try:
            with averaged(self.model):
                self.loop.snapshot, self.loop.best = self.run.save_epoch(self.model.save, self.loop.metrics)
        except KeyboardInterrupt:  # caught outside of `averaged`: a state holds the weights that are not averaged
            self.save_state()
            raise
        self.saved_at = time.monotonic()

    def save_state(self) -> None:
        """Save the model with its optimizer, seeds and metrics, in place of an earlier state."""
        check_loss(self.run, self.loop)
        check_weights(self.model, self.run, self.loop)
        epoch, step = self.loop.epoch, self.loop.step
        self.run.save_state(lambda path: checkpoint.save(self.model, path, epoch, step), epoch, step)
        self.saved_at = time.monotonic()

    def _is_due(self) -> bool:
        settings = self.run.settings
        by_time = settings.save_every and time.monotonic() - self.saved_at >= settings.save_every * MINUTE
        return bool(by_time or (settings.save_steps and self.loop.step % settings.save_steps == 0))


class ProgressEvents(keras.callbacks.Callback):
    """Report each step and epoch to the caller of `train`."""

    def __init__(self, loop: Loop, progress: Progress):
        super().__init__()
        self.loop, self.progress = loop, progress

    def on_train_begin(self, logs: Logs = None) -> None:
        """Report that Keras traces the graph, which the first step waits for."""
        self.progress(Phase("tracing the graph"))

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Report the step."""
        self.progress(Stepped(self.loop.epoch, self.loop.step, self.loop.loss))

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Report the epoch with its metrics and snapshot."""
        self.progress(Ended(self.loop.metrics, self.loop.best, self.loop.snapshot, self.loop.ends))


class TensorBoard(keras.callbacks.Callback):
    """Write the events of each epoch for TensorBoard."""

    def __init__(self, loop: Loop, events: EventWriter):
        super().__init__()
        self.loop, self.events = loop, events

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write metrics, curves and worst errors."""
        self.events.epoch_ended(self.loop.metrics, self.loop.scores)


def check_loss(run: Run, loop: Loop) -> None:
    """Read the last loss that was not read yet, and check that it is a finite number.

    Raises:
        ModelError: it is not.
    """
    if not loop.unread:
        return
    (step, loss), loop.unread = loop.unread, None
    loop.loss = float(loss)
    if not np.isfinite(loop.loss):
        raise diverged(f"The loss is {loop.loss}", loop.epoch, step, run)


def check_weights(model: keras.Model, run: Run, loop: Loop) -> None:
    """Check that all weights are finite numbers.

    Raises:
        ModelError: one is not.
    """
    if not checkpoint.is_finite(model):
        raise diverged("A weight is NaN or infinite", loop.epoch, loop.step, run)


def validation_metrics(validation: pd.DataFrame, scores: np.ndarray) -> dict[str, Any]:
    """The metrics of a validation list, with the threshold and the pooling that suit it best.

    Args:
        validation: the list.
        scores: of its frames, (frames,) in 0..1.
    """
    labels = validation["label"].to_numpy()
    threshold = best_threshold(labels, scores)
    frames = validation.assign(score=scores)
    videos = video_scores(frames)
    return {
        "val_loss": float(keras.losses.BinaryCrossentropy()(labels[:, None].astype("float32"), scores[:, None])),
        "val_accuracy": float(((scores >= 0.5) == labels).mean()),
        "val_auc": figures(labels, scores, threshold)["auc"],
        "val_video_auc": figures(videos["label"], videos["score"], threshold)["auc"],
        "threshold": threshold,
        "pool": best_pool(frames, threshold),
    }

"""The Keras callbacks of training, in their order: `training_callbacks` is the only place that puts them in it."""

import time
from collections.abc import Callable
from typing import Any

import keras
import pandas as pd

from deepfake_cli.runs.run import Run
from deepfake_cli.training import checkpoint
from deepfake_cli.training.divergence import TerminateOnNaN, check_loss, check_weights
from deepfake_cli.training.events import Ended, Phase, Progress, Stepped
from deepfake_cli.training.loop import Logs, Loop
from deepfake_cli.training.optimizer import averaged
from deepfake_cli.training.schedule import changes_every_step, learning_rate
from deepfake_cli.training.team import Team
from deepfake_cli.training.tensorboard import EventWriter
from deepfake_cli.training.validation import Validation

MINUTE = 60  # seconds


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
        """Report what the first step waits for."""
        self.progress(Phase("compiling the training step" if self.model.jit_compile else "tracing the graph"))

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

"""What happens beside the fitting: after each step and epoch the loss is checked, the state kept, the progress told."""

import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from deepfake_cli.metrics.figures import best_threshold, figures
from deepfake_cli.metrics.videos import best_pool, video_scores
from deepfake_cli.runs.run import Run
from deepfake_cli.training import checkpoint
from deepfake_cli.training.events import Ended, Progress, Stepped, came_apart
from deepfake_cli.training.optimizer import averaged
from deepfake_cli.training.schedule import learning_rate, moves_within_epochs
from deepfake_cli.training.team import Team
from deepfake_cli.training.tensorboard import Events

MINUTE = 60  # seconds


class Keeper(keras.callbacks.Callback):
    """Keeps a run's state every so many minutes or steps and after every epoch; sets its rate and seeds.

    Args:
        run: the folder, and where it goes on.
        validation: the list to validate on, if any.
        progress: told of every step and epoch.
        steps: of an epoch.
        team: the replicas that train.
        change: done to the batches to validate on, as in `deepfake_cli.training.input_pipeline.scoring_batches`.
    """

    def __init__(
        self, run: Run, validation: pd.DataFrame | None, progress: Progress, steps: int, team: Team, change: Any = None
    ):
        super().__init__()
        self.team = team
        self.run, self.validation, self.progress, self.change = run, validation, progress, change
        self.stopping: Callable[[], bool] = lambda: False  # whether the user asked to stop
        self.events = Events(run, validation, change) if run.writes else None
        self.scores: np.ndarray | None = None  # of the list to validate on, after the newest epoch
        self.epoch, self.step, self.skipped, self.steps = 0, 0, 0, steps
        self.saved_at = time.monotonic()

    def begun(self, batches: tf.data.Dataset, change: Callable[..., Any]) -> None:
        """Show what the network is about to see: the batches that training begins with, changed as each replica does."""
        if self.events:
            self.events.begun(batches, change, self.team.replicas)

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Set the rate that the losses so far call for, and the seeds of the epoch; or take up the state in its middle."""
        settings, start = self.run.settings, self.run.start
        self.epoch = epoch + 1
        self.skipped = self.step = start.step if start.epoch == epoch else 0
        checkpoint.reseed(self.model, settings.seed, self.epoch)
        if start.progress and self.skipped:
            checkpoint.restore(self.model, start.progress)
        self._set_rate()

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Set the rate, if it is another one at each step."""
        if moves_within_epochs(self.run.settings):
            self._set_rate()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Check the loss, tell of the step, keep the state if it is time or the user stops."""
        loss = float((logs or {})["loss"])
        self.step = self.skipped + batch + 1
        if loss != loss or loss in (float("inf"), -float("inf")):
            raise came_apart(f"The loss is {loss}", self.epoch, self.step, self.run)
        self.progress(Stepped(self.epoch, self.step, loss))
        keep, stop = self.team.agree(self._is_time() and self.run.writes, self.stopping())
        if keep or stop:
            self._keep_state()
        if stop:
            raise KeyboardInterrupt

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Validate, keep, report."""
        logs = logs or {}
        self._check_weights()
        row: dict[str, Any] = {"epoch": self.epoch, "loss": float(logs["loss"]), "accuracy": float(logs["accuracy"])}
        row["lr"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        try:
            with averaged(self.model):
                row |= self._validate()
                ends = self.run.ended_by(row)
                path, best = self.run.keep(self.model.save, row)
        except KeyboardInterrupt:  # here, since a state holds the weights that are not averaged
            self._keep_state()
            raise
        self.model.stop_training = ends is not None
        self.saved_at = time.monotonic()
        self.progress(Ended(row, best, path, ends))
        if self.events:
            self.events.ended(row, self.scores)

    def _set_rate(self) -> None:
        done = self.epoch - 1 + (self.step + 1) / self.steps
        self.model.optimizer.learning_rate = learning_rate(self.run.settings, self.run.losses(), done)

    def _is_time(self) -> bool:
        settings = self.run.settings
        by_time = settings.save_every and time.monotonic() - self.saved_at >= settings.save_every * MINUTE
        return bool(by_time or (settings.save_steps and self.step % settings.save_steps == 0))

    def _keep_state(self) -> None:
        self._check_weights()
        self.run.keep_state(
            lambda path: checkpoint.save(self.model, path, self.epoch, self.step), self.epoch, self.step
        )
        self.saved_at = time.monotonic()

    def _stop_if_asked(self) -> None:
        if not self.team.cluster and self.stopping():
            self._keep_state()
            raise KeyboardInterrupt

    def _interrupt_if_asked(self) -> None:
        if self.stopping():
            raise KeyboardInterrupt

    def _check_weights(self) -> None:
        if not checkpoint.is_sound(self.model):
            raise came_apart("A weight is no number any more", self.epoch, self.step, self.run)

    def _validate(self) -> dict[str, Any]:
        if self.validation is None:
            return {}
        settings = self.run.settings
        found = self.team.scores(
            self.model,
            self.validation,
            batch_size=settings.batch_size,
            workers=settings.workers,
            progress=lambda done, total: self._interrupt_if_asked(),
            change=self.change,
        )
        self.scores = found
        labels = self.validation["label"].to_numpy()
        threshold = best_threshold(labels, found)
        frames = self.validation.assign(score=found)
        videos = video_scores(frames)
        return {
            "val_loss": float(keras.losses.BinaryCrossentropy()(labels[:, None].astype("float32"), found[:, None])),
            "val_accuracy": float(((found >= 0.5) == labels).mean()),
            "val_auc": figures(labels, found, threshold)["auc"],
            "val_video_auc": figures(videos["label"], videos["score"], threshold)["auc"],
            "threshold": threshold,
            "pool": best_pool(frames, threshold),
        }

    def close(self) -> None:
        """Close the event files."""
        if self.events:
            self.events.close()

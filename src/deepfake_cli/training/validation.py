"""Validate after each epoch: the metrics of training and of the validation list."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pandas as pd

from deepfake_cli.metrics.figures import best_threshold, figures
from deepfake_cli.metrics.videos import best_pool, video_scores
from deepfake_cli.runs.run import Run
from deepfake_cli.training.events import Phase, Progress
from deepfake_cli.training.loop import Logs, Loop
from deepfake_cli.training.optimizer import averaged
from deepfake_cli.training.team import Team


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

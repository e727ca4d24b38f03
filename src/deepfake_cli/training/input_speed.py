"""Report when training waits for images to be read, and what would be faster."""

import time
from collections.abc import Callable
from typing import Any

import keras
import pandas as pd
import psutil
import tensorflow as tf

from deepfake_cli.config import Train
from deepfake_cli.training import input_pipeline
from deepfake_cli.training.events import Noted, Progress
from deepfake_cli.training.images import decode, reading

SETTLING = 5  # steps at the start of an epoch that are not timed
LEAST = 10  # steps that are timed; an epoch with fewer is too short to tell
SECONDS, FEWEST = 2.0, 3  # how long reading alone is timed, and how many batches at least
WAITS = 0.8  # share of the speed of reading alone from which on training waits for it


class InputSpeed(keras.callbacks.Callback):
    """After the first epoch, compare the images per second of its steps with those of reading alone.

    Args:
        settings: of the training.
        table: the list that is trained on.
        image_size: side of the model's input, in pixels.
        batches: makes the batches of an epoch anew, to read some of them without training.
        progress: told where reading is the limit, and what is faster.
    """

    def __init__(
        self,
        settings: Train,
        table: pd.DataFrame,
        image_size: int,
        batches: Callable[[int], tf.data.Dataset],
        progress: Progress,
    ):
        super().__init__()
        self.settings, self.table, self.size = settings, table, image_size
        self.batches, self.progress = batches, progress
        self.times: list[float] | None = []  # of the ends of the steps; None after the first epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the time."""
        if self.times is not None:
            self.times.append(time.perf_counter())

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Compare, once."""
        times, self.times = self.times, None
        if not times or len(times) < SETTLING + LEAST:
            return
        trained = (len(times) - SETTLING) / (times[-1] - times[SETTLING - 1])
        read = batches_per_second(self.batches(epoch), len(times))
        if trained >= WAITS * read:
            self.progress(Noted(self._advice(self.settings.batch * read, self.settings.batch * trained)))

    def _advice(self, read: float, trained: float) -> str:
        return (
            f"Reading images is what this training waits for: {read:,.0f} images/s are read without training, and "
            f"{trained:,.0f} trained on. Faster: {', or '.join(self._remedies())}."
        )

    def _remedies(self) -> list[str]:
        needed, free = len(self.table) * self.size**2 * 3, psutil.virtual_memory().available
        path = self.table["path"].iloc[0]
        side = min(decode(reading(self.table["path"])(path)).shape[:2])
        found = []
        if not self.settings.cache and needed < input_pipeline.MOST_MEMORY * free:
            found.append(f"--resume with --cache, which keeps {needed / 1e9:,.1f} GB in memory")
        if not self.settings.cache and side > self.size:
            found.append(f"images of the model's {self.size} px instead of {side}: deepfake split --size {self.size}")
        if self.settings.workers:
            found.append("a higher --workers")
        return found or ["more CPU cores"]


def batches_per_second(batches: Any, most: int) -> float:
    """How many batches a second are read with nobody to use them, after the first; at most this many are read."""
    iterator = iter(batches)
    next(iterator)
    started, count = time.perf_counter(), 0
    while count < FEWEST or (count < most and time.perf_counter() - started < SECONDS):
        next(iterator)
        count += 1
    return count / (time.perf_counter() - started)

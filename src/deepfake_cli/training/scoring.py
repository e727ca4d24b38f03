"""Score the frames of a list, for validation and for `evaluate`."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from deepfake_cli.errors import DeepfakeError, ManifestError
from deepfake_cli.training import input_pipeline
from deepfake_cli.training.images import Read, decode, reading
from deepfake_cli.training.out_of_memory import is_out_of_memory
from deepfake_cli.training.xla import without_xla


def scores(
    model: Any,
    table: pd.DataFrame,
    *,
    batch_size: int,
    workers: int | None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    change: Callable[[Any, Any, Any], Any] | None = None,
) -> np.ndarray:
    """The score of each frame of a list, in its order: float64 (frames,) in 0..1.

    Args:
        model: the detector.
        table: a list as `deepfake_cli.data.manifest.read` returns it.
        batch_size: images per batch.
        workers: threads that read images; None for TensorFlow's choice.
        progress: called with the number of scored frames and their total.
        change: applied to each batch, as in `input_pipeline.scoring_batches`.

    Raises:
        ManifestError: an image cannot be decoded; the message names it.
    """
    size = image_size(model)
    batches = input_pipeline.scoring_batches(
        table, image_size=size, batch_size=batch_size, workers=workers, change=change
    )
    counting = _Count(len(table), batch_size, progress)
    try:
        with without_xla(model):
            return model.predict(batches, verbose=0, callbacks=[counting]).reshape(-1).astype(np.float64)
    except tf.errors.OpError as error:
        raise unreadable(table, error) from None


class _Count(keras.callbacks.Callback):
    """Reports the number of scored frames."""

    def __init__(self, total: int, batch_size: int, progress: Callable[[int, int], None]):
        super().__init__()
        self.total, self.batch_size, self.progress = total, batch_size, progress

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Report after a batch; the last one may be partial."""
        self.progress(min((batch + 1) * self.batch_size, self.total), self.total)


def image_size(model: Any) -> int:
    """Side of the square images that a model takes, in pixels."""
    return int(model.input_shape[1])


def unreadable(table: pd.DataFrame, error: Exception) -> Exception:
    """An error that names the images of a list that cannot be read; `error` itself, if all can or it is about memory."""
    if is_out_of_memory(error):
        return error
    read = reading(table["path"])
    bad = [path for path in table["path"] if not _readable(path, read)]
    if not bad:
        return error
    some = "\n  ".join(bad[:5])
    return ManifestError(
        f"Images that cannot be decoded or are gone: {len(bad):,}. Make them again with deepfake split:\n  {some}"
    )


def _readable(path: str, read: Read) -> bool:
    try:
        decode(read(path))
    except (tf.errors.OpError, OSError, DeepfakeError):
        return False
    return True

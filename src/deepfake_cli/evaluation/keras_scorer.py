"""Score lists with a snapshot of a run, in Keras."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepfake_cli.config import Evaluate
from deepfake_cli.errors import ModelError
from deepfake_cli.evaluation.calibrated import Calibrated
from deepfake_cli.evaluation.onnx_scorer import Exported
from deepfake_cli.inference.runtimes.metadata import ONNX
from deepfake_cli.native_output import quiet
from deepfake_cli.runs import recipe
from deepfake_cli.runs.files import BEST_ONNX

if TYPE_CHECKING:
    import pandas as pd


def detector_of(settings: Evaluate, path: Path) -> "Trained | Exported":
    """Open a snapshot or an exported detector."""
    return (Exported if path.suffix.lower() == ONNX else Trained)(settings, path)


class Trained:
    """The detector of a snapshot, on the selected devices.

    Attributes:
        model: the Keras model.
        threshold: scores at or above it are predicted fake.
        calibrated: the calibration of its scores.
        pool: pooling of frame scores; None if the recipe has none.
        notes: caveats for the reader of the metrics.

    Raises:
        ModelError: the snapshot is unreadable.
        DeviceError: a selected GPU is missing.
    """

    def __init__(self, settings: Evaluate, path: Path):
        self.calibrated = Calibrated.of(path, calibrate=settings.calibration, threshold=settings.threshold)
        stored = recipe.threshold_of(path) if settings.threshold is None else settings.threshold
        self.notes = ["No threshold in the recipe of the snapshot: using 0.5."] if stored is None else []
        self.notes += other_margin(path, settings.margin)
        self.threshold = self.calibrated.threshold(0.5 if stored is None else stored)
        self.pool = recipe.pool_of(path)
        self.model, self._settings = _loaded(settings, path), settings

    def scores(self, table: "pd.DataFrame", progress: Callable[[int, int], None]) -> np.ndarray:
        """Score the frames of a list, in order: float64 (frames,), uncalibrated.

        Raises:
            ManifestError: an image cannot be decoded.
            ModelError: memory is not enough for a batch.
        """
        from deepfake_cli.training.memory import explained_scoring
        from deepfake_cli.training.scoring import scores

        batch, workers = self._settings.batch_size, self._settings.workers
        with explained_scoring(self.model, batch):
            return scores(self.model, table, batch_size=batch, workers=workers, progress=progress)

    def images(self, table: "pd.DataFrame", at_once: int) -> Iterator[np.ndarray]:
        """Decode the images of a list, in order: uint8 RGB (at most at_once, size, size, 3) in 0..255.

        Raises:
            ManifestError: an image cannot be decoded.
        """
        import tensorflow as tf

        from deepfake_cli.training import input_pipeline
        from deepfake_cli.training.scoring import image_size, unreadable

        size, workers = image_size(self.model), self._settings.workers
        batches = input_pipeline.scoring_batches(table, image_size=size, batch_size=at_once, workers=workers)
        try:
            yield from batches.as_numpy_iterator()
        except tf.errors.OpError as error:
            raise unreadable(table, error) from None

    def scores_of(self, images: np.ndarray) -> np.ndarray:
        """Score images in memory: uint8 RGB (n, size, size, 3) to (n,), uncalibrated."""
        from deepfake_cli.training.memory import explained_scoring

        batch = self._settings.batch_size
        with explained_scoring(self.model, batch):
            return self.model.predict(images, batch, verbose=0).reshape(-1)

    def heat_maps(self, paths: Sequence[str], threshold: float) -> np.ndarray:
        """Grad-CAM maps for the predicted class: float32 (images, size, size), in 0..1; empty without a feature map."""
        import pandas as pd

        from deepfake_cli.models.grad_cam import heat_maps
        from deepfake_cli.training.images import read_image, reading

        # decoded and scaled as for the scores, or the map might explain another prediction
        read, size = reading(pd.Series(paths, dtype=str)), self.model.input_shape[1]
        images = [read_image(path, size, read).numpy() for path in paths]
        try:
            return heat_maps(self.model, np.stack(images), threshold)
        except ModelError:  # a model of dense layers has no feature map
            return np.zeros((0, 1, 1), np.float32)


def other_margin(path: Path, listed: float | None) -> list[str]:
    """A note on crops whose margin is not the one that a snapshot was trained with; empty if it is, or unknown."""
    trained = recipe.read(path).get("settings", {}).get("margin")
    if not trained or not listed or trained == listed:
        return []
    return [
        f"{path} was trained on crops of margin {trained:g}, and these have {listed:g}: they are scored as they are. Score "
        f"{BEST_ONNX}, for which they are cut, or run split again with --margin {trained:g}."
    ]


def _loaded(settings: Evaluate, path: Path) -> Any:
    """Load a snapshot under the strategy of its devices, which `predict` then uses."""
    with quiet():
        from deepfake_cli.distributed import devices
        from deepfake_cli.models import load_model
        from deepfake_cli.training.fused import fuse

    plan = devices.choose(
        settings.gpu, settings.multi_gpu, settings.multi_gpu_force, devices.visible_gpus(), os.cpu_count() or 1
    )
    with devices.open_strategy(plan).scope():
        model = load_model(path, settings.model, settings.image_size)
    fuse(model)
    return model

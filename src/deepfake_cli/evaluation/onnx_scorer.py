"""Score lists with an exported detector, without TensorFlow."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from deepfake_cli.assets import STARTER
from deepfake_cli.config import Evaluate
from deepfake_cli.data.crops import USUAL
from deepfake_cli.errors import ConfigError, ManifestError
from deepfake_cli.evaluation.calibrated import Calibrated
from deepfake_cli.inference import runtimes
from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.media.image import read_image
from deepfake_cli.metrics.calibration import Calibration
from deepfake_cli.runs import recipe

if TYPE_CHECKING:
    import pandas as pd

AHEAD = 4  # batches read ahead


class Exported:
    """A detector of ``deepfake export``, with the attributes of `deepfake_cli.evaluation.keras_scorer.Trained`.

    Raises:
        ModelError: the detector cannot be loaded.
        ConfigError: an option needs the snapshot.
    """

    def __init__(self, settings: Evaluate, path: Path):
        threads = 1 if settings.cluster else None  # a task has one core
        self._network, self._settings = runtimes.load(path, settings.runtime, threads), settings
        traits = self._network.traits
        stored = traits.calibration if settings.calibration else None
        if traits.calibration and not stored and settings.threshold is None:
            raise ConfigError(
                f"The threshold in {path} is for calibrated scores: set --threshold with --no-calibration."
            )
        self.calibrated = Calibrated(Calibration.from_json(stored) if stored else None)
        self.threshold = traits.threshold if settings.threshold is None else settings.threshold
        self.pool, self._size, self._resize = traits.pool, traits.image_size, traits.resize
        self.card = traits.card
        listed = settings.margin or (traits.margin if traits.recipe.get("settings") else USUAL)
        self._inner = min(1, traits.margin / listed)
        self.notes = [
            *filter(None, [traits.terms, _unknown_training(path, traits), _other_margin(traits.margin, listed)])
        ]

    def scores(self, table: "pd.DataFrame", progress: Callable[[int, int], None]) -> np.ndarray:
        """Score the frames of a list, in order: float64 (frames,), uncalibrated.

        Raises:
            ManifestError: an image cannot be decoded.
        """
        found = np.empty(0)
        for batch in self._batches(table["path"].tolist(), self._settings.batch_size):
            found = np.append(found, self._network.scores(batch))
            progress(len(found), len(table))
        return found

    def images(self, table: "pd.DataFrame", at_once: int) -> Iterator[np.ndarray]:
        """Decode the images of a list, in order: uint8 RGB (at most at_once, size, size, 3) in 0..255.

        Raises:
            ManifestError: an image cannot be decoded.
        """
        return self._batches(table["path"].tolist(), at_once)

    def scores_of(self, images: np.ndarray) -> np.ndarray:
        """Score images in memory: uint8 RGB (n, size, size, 3) to float64 (n,), uncalibrated."""
        step = self._settings.batch_size
        parts = (images[start : start + step] for start in range(0, len(images), step))
        return np.concatenate([self._network.scores(part) for part in parts])

    def heat_maps(self, paths: Sequence[str], threshold: float) -> np.ndarray:
        """Heat maps for the predicted class: float32 (images, rows, columns), in 0..1; empty if the detector has none."""
        if not self._network.maps:
            return np.zeros((0, 1, 1), np.float32)
        images = np.concatenate(list(self._batches(paths, self._settings.batch_size)))
        called = self.calibrated.scores(self._network.scores(images)) >= threshold
        heat = np.maximum(np.where(called, 1, -1)[:, None, None] * self._network.heat(images), 0)
        return heat / np.maximum(heat.max(axis=(1, 2), keepdims=True), np.finfo("float32").tiny)

    def _batches(self, paths: Sequence[str], step: int) -> Iterator[np.ndarray]:
        """Batches of images, uint8 RGB (at most step, size, size, 3), read ahead in threads."""
        waiting = deque[Iterator[np.ndarray]]()
        with ThreadPoolExecutor(self._settings.workers) as readers:
            for start in range(0, len(paths), step):
                read = partial(scaled, size=self._size, resize=self._resize, inner=self._inner)
                waiting.append(readers.map(read, paths[start : start + step]))
                if len(waiting) > AHEAD:
                    yield np.stack(list(waiting.popleft()))
            while waiting:
                yield np.stack(list(waiting.popleft()))


def _unknown_training(path: Path, traits: Traits) -> str:
    """A note that nothing tells which groups a detector was trained on; empty if its recipe does."""
    if recipe.read(path).get("groups"):
        return ""
    if path == STARTER:
        return "The card of the starter detector, docs/starter.md, says on which people it was trained."
    if traits.card:
        return (
            f"Trained on: {traits.card['trained_on']}. Whether groups of these lists are among them cannot be checked."
        )
    return f"No recipe.json next to {path.name}: cannot check whether it was trained on these groups."


def _other_margin(expected: float, listed: float) -> str:
    """A note on crops whose margin is not the one that the detector was trained with; empty if it is."""
    if expected == listed:
        return ""
    crops = f"The detector expects crops of margin {expected:g}, and these have {listed:g}"
    if expected < listed:
        return f"{crops}: their middle is judged, as predict cuts it."
    return (
        f"{crops}: what is missing around the faces may change the scores. Run split again with --margin {expected:g}."
    )


def scaled(path: str, size: int, resize: str = "linear", inner: float = 1) -> np.ndarray:
    """Decode an image and scale it as `deepfake_cli.training.images.read_image` does: uint8 RGB (size, size, 3).

    Args:
        path: of the image.
        size: of the result, in pixels.
        resize: how it is scaled, see `deepfake_cli.inference.runtimes.metadata.Traits`.
        inner: share of both sides in the middle that is kept, above 0 and up to 1.

    Raises:
        ManifestError: the image cannot be decoded.
    """
    from PIL import Image

    image = read_image(Path(path))
    if image is None:
        raise ManifestError(f"{path}: cannot decode, or missing; run deepfake split again.")
    if inner < 1:
        top, left = (round(side * (1 - inner) / 2) for side in image.shape[:2])
        image = np.ascontiguousarray(image[top : image.shape[0] - top, left : image.shape[1] - left])
    if image.shape[:2] != (size, size):
        if resize == "bicubic":
            image = np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC))
        elif min(image.shape[:2]) > 2 * size:  # smooth, to avoid aliasing
            image = np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))
        else:
            image = np.rint(cv2.resize(image.astype(np.float32), (size, size))).astype(np.uint8)
    return image[..., ::-1]

"""Pairs kept on disk, so many a file, and batches of them to train on."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from functools import partial as with_first
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from deepfake_cli.errors import DatasetError
from deepfake_cli.pseudo_fakes.gallery import Gallery
from deepfake_cli.pseudo_fakes.pair import MARGIN, MASK, SIZES, Sizes, make_pair
from deepfake_cli.storage.files import whole

SHARD = 1000  # pairs a file: 221 MB of the usual size
JITTER_SCALE, JITTER_PLACE = 0.04, 0.02  # deviation a crop is enlarged by and moved by, in logarithms and in sides
SOFTENED = 0.3, 0.75  # of its resolution a softened pair keeps, from and to
LIGHT, CONTRAST = 12.0, 0.12  # most that brightness changes, and the logarithm of contrast
_gallery: Gallery  # of a process that makes pairs
_weights: np.ndarray


def write_shards(
    gallery: Gallery,
    folder: Path,
    count: int,
    *,
    shard: int = SHARD,
    sizes: Sizes = SIZES,
    first: int = 0,
    weights: np.ndarray | None = None,
    workers: int = 1,
    progress: Callable[[int], None] = lambda done: None,
) -> None:
    """Make pairs and keep them; shards that are there already are not made again.

    The pairs depend on the gallery, the sizes, the weights, and their numbers alone.

    Args:
        gallery: the portraits.
        folder: where the shards go.
        count: pairs, a multiple of `shard`.
        shard: pairs a file.
        sizes: of the faces and of the images.
        first: seed of the first pair, a multiple of `shard`.
        weights: how often each portrait is forged, float (portraits,); None for those of higher resolution more often.
        workers: processes.
        progress: called with how many pairs are done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with get_context("spawn").Pool(workers, _start, (gallery, weights)) as pool:
        jobs = pool.imap(with_first(_shard, folder, shard, sizes), range(first, first + count, shard))
        for done, _ in enumerate(jobs, 1):
            progress(done * shard)


def _start(gallery: Gallery, weights: np.ndarray | None) -> None:
    global _gallery, _weights
    cv2.setNumThreads(1)
    _gallery, _weights = gallery, usual_weights(gallery) if weights is None else weights


def usual_weights(gallery: Gallery) -> np.ndarray:
    """Weights of the portraits, float64 (portraits,): those of higher resolution are forged more often."""
    return np.clip(np.array([portrait.side for portrait in gallery.portraits]) / 100, 0.5, 1.3) ** 1.5


def _shard(folder: Path, count: int, sizes: Sizes, first: int) -> None:
    path = folder / f"{first:06d}.npy"
    if path.is_file():
        return
    numbers = np.random.default_rng([first, 1]).choice(len(_weights), count, p=_weights / _weights.sum())
    pairs = [make_pair(_gallery, int(number), first + place, sizes=sizes) for place, number in enumerate(numbers)]
    with whole(path.with_suffix(".npz")) as partial:
        np.savez(
            partial,
            masks=np.stack([pair.mask for pair in pairs]),
            methods=np.array([pair.method for pair in pairs]),
            sides=np.array([pair.side for pair in pairs], np.float32),
            qualities=np.array([pair.quality for pair in pairs], np.int16),
            portraits=numbers,
        )
    with whole(path) as partial:
        np.save(partial, np.stack([pair.images for pair in pairs]))


@dataclass(frozen=True)
class Shards:
    """Pairs on disk.

    Attributes:
        folder: what `write_shards` filled.
    """

    folder: Path

    @cached_property
    def _files(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Images and masks of each shard; images stay on disk until they are looked at."""
        found = [
            (np.load(path, mmap_mode="r"), np.load(path.with_suffix(".npz"))["masks"])
            for path in sorted(self.folder.glob("*.npy"))
        ]
        if not found:
            raise DatasetError(f"{self.folder}: no shards of pairs in it.")
        return found

    def __len__(self) -> int:
        return sum(len(masks) for _, masks in self._files)

    def batch(
        self, step: int, *, pairs: int, size: int, margin: float, cells: int, seed: int, soften: float = 0.0
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The batch of a step; each pass takes every pair once, in an order of its own.

        Args:
            step: from 0.
            pairs: a batch.
            size: side of the images, in pixels.
            margin: side of a crop in sides of the face's box, at most `MARGIN`.
            cells: side of the masks.
            seed: of the order and of the small changes to crops.
            soften: share of the pairs that lose their detail, as at strong compression, real and fake alike.

        Returns:
            Images, uint8 RGB (2 pairs, size, size, 3), a real and its fake in turn; labels, float32 (2 pairs, 1); masks, float32
            (2 pairs, cells, cells, 1) in 0..1.
        """
        images = np.empty((2 * pairs, size, size, 3), np.uint8)
        masks = np.zeros((2 * pairs, cells, cells, 1), np.float32)
        rng = np.random.default_rng([seed, step])
        for place, number in enumerate(self._drawn(step, pairs, seed)):
            shard, row = divmod(int(number), len(self._files[0][1]))
            kept, mask = self._files[shard][0][row], self._files[shard][1][row]
            window, light = _window(rng, kept.shape[1], size, margin), _light(rng)
            detail = rng.uniform(*SOFTENED) if soften and rng.random() < soften else 1.0
            for label in (0, 1):
                images[2 * place + label] = _seen(kept[label], window, size, light, detail)
            scale = np.array([[cells * kept.shape[1] / (size * MASK)] * 2 + [cells / size]])
            masks[2 * place + 1, :, :, 0] = cv2.warpAffine(mask / np.float32(255), window * scale, (cells, cells))
        return images, np.tile(np.array([[0], [1]], np.float32), (pairs, 1)), masks

    def _drawn(self, step: int, pairs: int, seed: int) -> np.ndarray:
        numbers = np.arange(step * pairs, (step + 1) * pairs)
        passes = numbers // len(self)
        orders = {
            int(each): np.random.default_rng([seed, int(each), 1]).permutation(len(self)) for each in np.unique(passes)
        }
        return np.array([orders[int(each)][number % len(self)] for each, number in zip(passes, numbers, strict=True)])


def _window(rng: np.random.Generator, kept: int, size: int, margin: float) -> np.ndarray:
    """From pixels of what is kept to those of a crop a little beside it, mirrored or not: float64 (2, 3)."""
    side = kept * margin / MARGIN * np.exp(rng.uniform(-JITTER_SCALE, JITTER_SCALE))
    x, y = kept / 2 + kept * rng.uniform(-JITTER_PLACE, JITTER_PLACE, 2)
    scale = size / side
    sign = -1 if rng.random() < 0.5 else 1
    return np.array([[sign * scale, 0, size / 2 - sign * scale * x], [0, scale, size / 2 - scale * y]])


def _light(rng: np.random.Generator) -> tuple[float, float]:
    return float(np.exp(rng.uniform(-CONTRAST, CONTRAST))), float(rng.uniform(-LIGHT, LIGHT))


def _seen(image: np.ndarray, window: np.ndarray, size: int, light: tuple[float, float], detail: float) -> np.ndarray:
    if detail < 1:
        small = cv2.resize(image, None, fx=detail, fy=detail, interpolation=cv2.INTER_AREA)
        image = cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    scale = window[1, 1]
    if scale < 0.75:
        image = cv2.GaussianBlur(image, (0, 0), 0.35 / scale)
    crop = cv2.warpAffine(image, window, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.clip(crop[..., ::-1] * np.float32(light[0]) + np.float32(light[1]), 0, 255).astype(np.uint8)

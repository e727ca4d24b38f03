"""Store pairs in files on disk, and draw training batches from them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import cv2
import numpy as np

from deepfake_cli.distributed.processes import NewProcesses
from deepfake_cli.errors import DatasetError
from deepfake_cli.pseudo_fakes.forge import Sizes
from deepfake_cli.pseudo_fakes.gallery import Gallery
from deepfake_cli.pseudo_fakes.pair import MARGIN, MASK, SIZES, make_pair
from deepfake_cli.storage.files import whole

SHARD = 1000  # pairs per file: 221 MB at the default size
JITTER_SCALE, JITTER_PLACE = 0.04, 0.02  # standard deviation of a crop's log scale, and of its position in sides
SOFTENED = 0.3, 0.75  # range of the resolution that a softened pair keeps
LIGHT, CONTRAST = 12.0, 0.12  # largest change of brightness, and of log contrast
_gallery: Gallery  # this and the weights are set in each process that makes pairs
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
    """Make pairs and write them to shards; existing shards are kept.

    The pairs depend only on the gallery, the sizes, the weights and their seeds.

    Args:
        gallery: the portraits.
        folder: for the shards.
        count: number of pairs, a multiple of `shard`.
        shard: pairs per file.
        sizes: of faces and crops.
        first: seed of the first pair, a multiple of `shard`.
        weights: of the portraits, float (portraits,); None to prefer those of higher resolution.
        workers: number of processes.
        progress: called with the number of finished pairs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with NewProcesses().Pool(workers, _start, (gallery, weights)) as pool:
        jobs = pool.imap(partial(_write_shard, folder, shard, sizes), range(first, first + count, shard))
        for done, _ in enumerate(jobs, 1):
            progress(done * shard)


def _start(gallery: Gallery, weights: np.ndarray | None) -> None:
    global _gallery, _weights
    cv2.setNumThreads(1)
    _gallery, _weights = gallery, usual_weights(gallery) if weights is None else weights


def usual_weights(gallery: Gallery) -> np.ndarray:
    """Weights of the portraits, float64 (portraits,): those of higher resolution are forged more often."""
    return np.clip(np.array([portrait.side for portrait in gallery.portraits]) / 100, 0.5, 1.3) ** 1.5


def _write_shard(folder: Path, count: int, sizes: Sizes, first: int) -> None:
    path = folder / f"{first:06d}.npy"
    if path.is_file():
        return
    numbers = np.random.default_rng([first, 1]).choice(len(_weights), count, p=_weights / _weights.sum())
    pairs = [make_pair(_gallery, int(number), first + place, sizes=sizes) for place, number in enumerate(numbers)]
    with whole(path.with_suffix(".npz")) as temporary:
        np.savez(
            temporary,
            masks=np.stack([pair.mask for pair in pairs]),
            methods=np.array([pair.method for pair in pairs]),
            sides=np.array([pair.side for pair in pairs], np.float32),
            qualities=np.array([pair.quality for pair in pairs], np.int16),
            portraits=numbers,
        )
    with whole(path) as temporary:
        np.save(temporary, np.stack([pair.images for pair in pairs]))


@dataclass(frozen=True)
class Shards:
    """Pairs on disk.

    Attributes:
        folder: filled by `write_shards`.
    """

    folder: Path

    @cached_property
    def _files(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Images and masks of each shard; images are memory-mapped."""
        shards = [
            (np.load(path, mmap_mode="r"), np.load(path.with_suffix(".npz"))["masks"])
            for path in sorted(self.folder.glob("*.npy"))
        ]
        if not shards:
            raise DatasetError(f"{self.folder}: no shards in this folder. Make them with write_shards.")
        return shards

    def __len__(self) -> int:
        return sum(len(masks) for _, masks in self._files)

    def batch(
        self, step: int, *, pairs: int, size: int, margin: float, cells: int, seed: int, soften: float = 0.0
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The batch of a step. Each pass takes every pair once, in a new order.

        Args:
            step: from 0.
            pairs: per batch.
            size: side of the images, in pixels.
            margin: side of a crop in sides of the face's box, at most `MARGIN`.
            cells: side of the masks, in pixels.
            seed: of the order and of the random crops.
            soften: share of pairs whose two images lose detail, as under strong compression.

        Returns:
            Images, uint8 RGB (2 pairs, size, size, 3), alternating real and fake; labels, float32 (2 pairs, 1); masks, float32
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
                images[2 * place + label] = _crop(kept[label], window, size, light, detail)
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
    """The affine map from a stored image to a random crop near its centre, mirrored or not: float64 (2, 3)."""
    side = kept * margin / MARGIN * np.exp(rng.uniform(-JITTER_SCALE, JITTER_SCALE))
    x, y = kept / 2 + kept * rng.uniform(-JITTER_PLACE, JITTER_PLACE, 2)
    scale = size / side
    sign = -1 if rng.random() < 0.5 else 1
    return np.array([[sign * scale, 0, size / 2 - sign * scale * x], [0, scale, size / 2 - scale * y]])


def _light(rng: np.random.Generator) -> tuple[float, float]:
    return float(np.exp(rng.uniform(-CONTRAST, CONTRAST))), float(rng.uniform(-LIGHT, LIGHT))


def _crop(image: np.ndarray, window: np.ndarray, size: int, light: tuple[float, float], detail: float) -> np.ndarray:
    if detail < 1:
        small = cv2.resize(image, None, fx=detail, fy=detail, interpolation=cv2.INTER_AREA)
        image = cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    scale = window[1, 1]
    if scale < 0.75:
        image = cv2.GaussianBlur(image, (0, 0), 0.35 / scale)
    crop = cv2.warpAffine(image, window, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.clip(crop[..., ::-1] * np.float32(light[0]) + np.float32(light[1]), 0, 255).astype(np.uint8)

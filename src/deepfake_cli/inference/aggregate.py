"""The scores of a face's frames become one, with an interval that knows that neighbouring frames are alike."""

import math

import numpy as np

from deepfake_cli.metrics.pooling import POOLS

LEVEL = 0.95
RESAMPLES = 1000
LEAST = 10  # frames, below which no interval is given


def pooled(scores: np.ndarray, pool: str) -> float:
    """One score in 0..1 of a face's, float64 (frames,); `pool` is a key of `deepfake_cli.metrics.pooling.POOLS`."""
    return float(POOLS[pool](scores, np.zeros(len(scores), dtype=np.int64))[0])


def interval(scores: np.ndarray, pool: str, seed: int = 0) -> tuple[float, float] | None:
    """A 95 % interval of the pooled score, over the frames of this file alone: how it would vary with other moments of it.

    It resamples runs of neighbouring frames, since one frame says nearly what the next one says: the circular block
    bootstrap (Politis and Romano, 1992), with blocks of the square root of the number of frames. It does not know how the
    detector does on other people; `deepfake evaluate` does.

    Args:
        scores: float64 (frames,) in 0..1, in order.
        pool: a key of `deepfake_cli.metrics.pooling.POOLS`.
        seed: of the resamples.

    Returns:
        Low and high end; None for fewer than ten frames.
    """
    count = len(scores)
    if count < LEAST:
        return None
    length = math.ceil(math.sqrt(count))
    blocks = math.ceil(count / length)
    random = np.random.default_rng(seed)
    around = np.concatenate([scores, scores[:length]])
    if pool == "mean":  # sums of blocks are differences of running sums
        total = np.concatenate([[0.0], np.cumsum(around)])
        sums = total[length : length + count] - total[:count]
        drawn = sums[random.integers(count, size=(RESAMPLES, blocks))].mean(axis=1) / length
    else:
        steps, starts = np.arange(length), random.integers(count, size=(RESAMPLES, blocks, 1))
        drawn = np.array([pooled((around[each + steps]).ravel(), pool) for each in starts])
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)

"""Aggregate the frame scores of a face, with an interval that accounts for the similarity of neighbouring frames."""

import math

import numpy as np

from deepfake_cli.metrics.pooling import POOLS

LEVEL = 0.95
RESAMPLES = 1000
MIN_FRAMES = 10  # for an interval


def pooled(scores: np.ndarray, pool: str) -> float:
    """Pool frame scores, float64 (frames,), to one score in 0..1; `pool` is a key of `deepfake_cli.metrics.pooling.POOLS`."""
    return float(POOLS[pool](scores, np.zeros(len(scores), dtype=np.int64))[0])


def interval(scores: np.ndarray, pool: str, seed: int = 0) -> tuple[float, float] | None:
    """95 % interval of the pooled score over the frames of one file.

    Uses the circular block bootstrap (Politis and Romano, 1992), since neighbouring frames are correlated, with blocks of
    the square root of the number of frames. It says nothing about the error on other people; see `deepfake evaluate`.

    Args:
        scores: float64 (frames,) in 0..1, in order.
        pool: a key of `deepfake_cli.metrics.pooling.POOLS`.
        seed: random seed of the bootstrap.

    Returns:
        Lower and upper end; None for fewer than ten frames.
    """
    count = len(scores)
    if count < MIN_FRAMES:
        return None
    length = math.ceil(math.sqrt(count))
    blocks = math.ceil(count / length)
    random = np.random.default_rng(seed)
    wrapped = np.concatenate([scores, scores[:length]])
    if pool == "mean":  # block sums are differences of cumulative sums
        total = np.concatenate([[0.0], np.cumsum(wrapped)])
        sums = total[length : length + count] - total[:count]
        drawn = sums[random.integers(count, size=(RESAMPLES, blocks))].mean(axis=1) / length
    else:
        steps, starts = np.arange(length), random.integers(count, size=(RESAMPLES, blocks, 1))
        drawn = np.array([pooled(wrapped[start + steps].ravel(), pool) for start in starts])
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)

"""The scores of a face's frames become one, with an interval that knows that neighbouring frames are alike."""

import math
from collections.abc import Callable

import numpy as np

LEVEL = 0.95
RESAMPLES = 1000
LEAST = 10  # frames, below which no interval is given

POOLS: dict[str, Callable[[np.ndarray], float]] = {
    "mean": lambda scores: float(scores.mean()),
    "median": lambda scores: float(np.median(scores)),
}


def interval(scores: np.ndarray, pool: str, seed: int = 0) -> tuple[float, float] | None:
    """A 95 % interval of the pooled score, over the frames of this file alone: how it would vary with other moments of it.

    It resamples runs of neighbouring frames, since one frame says nearly what the next one says: the circular block
    bootstrap (Politis and Romano, 1992), with blocks of the square root of the number of frames. It does not know how the
    detector does on other people; `deepfake evaluate` does.

    Args:
        scores: float64 (frames,) in 0..1, in order.
        pool: a key of `POOLS`.
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
        drawn = np.array([POOLS[pool](around[each + steps]) for each in starts])
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)

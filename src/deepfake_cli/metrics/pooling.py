"""Pooling: from the scores of frames to the score of their video."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.integer[Any]]

TOP = 0.1  # "top" averages this share of frames, those with the highest scores; one frame at least
SURE, MOST_SURE, LEAST = 0.8, 0.9, 11  # of "confident"


def _mean(scores: Floats, codes: Codes) -> Floats:
    return np.bincount(codes, scores) / np.bincount(codes)


def _median(scores: Floats, codes: Codes) -> Floats:
    ordered, starts, counts = _ordered(scores, codes)
    return (ordered[starts + (counts - 1) // 2] + ordered[starts + counts // 2]) / 2


def _top(scores: Floats, codes: Codes) -> Floats:
    ordered, starts, counts = _ordered(-scores, codes)
    numbers = np.repeat(np.arange(len(counts)), counts)
    kept = np.arange(len(ordered)) - starts[numbers] < np.ceil(TOP * counts)[numbers]
    return _mean(-ordered[kept], numbers[kept])


def _confident(scores: Floats, codes: Codes) -> Floats:
    """Mean of the confident frames if there are many, else of all (Seferbekov 2020, winner of the DFDC)."""
    count = np.bincount(codes)
    high, low = scores > SURE, scores < 1 - SURE
    highs, lows = np.bincount(codes, high), np.bincount(codes, low)
    fake, real = (highs > count // 2.5) & (highs > LEAST), lows > MOST_SURE * count
    sums = np.where(fake, np.bincount(codes, scores * high), np.bincount(codes, scores * low))
    return np.where(fake | real, sums / np.maximum(np.where(fake, highs, lows), 1), _mean(scores, codes))


def _ordered(values: Floats, codes: Codes) -> tuple[Floats, Codes, Codes]:
    """Values sorted by video, then ascending; the start of each video, and its number of values."""
    counts = np.bincount(codes)
    return values[np.lexsort((values, codes))], np.cumsum(counts) - counts, counts


POOLS: dict[str, Callable[[Floats, Codes], Floats]] = {  # from frame scores and the number of the video of each, from 0
    "mean": _mean,
    "median": _median,
    "top": _top,  # mean of the highest tenth
    "confident": _confident,
}

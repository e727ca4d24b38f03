"""Resamples of whole units, in threads: NumPy works on several at once."""

import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from deepfake_cli.metrics.checked import Floats
from deepfake_cli.metrics.figures import FIGURES, Rows

FEW = 20_000  # rows below which threads cost more than they bring
MOST_THREADS = 8
BLOCKS = 200  # of units that the jackknife leaves out, one after the other


def draws(rows: Rows, resamples: int, seed: int) -> Floats:
    """The `FIGURES` of resamples that draw as many units as there are, with replacement: (resamples, figures).

    A unit drawn k times weighs its rows by k. Resamples that lack a class which the rows have are NaN throughout.
    """
    rng = np.random.default_rng(seed)
    drawn = (np.bincount(rng.integers(rows.units, size=rows.units), minlength=rows.units) for _ in range(resamples))
    found = _each(rows, drawn, resamples)
    both = len(rows.ranking.fakes.codes) and len(rows.ranking.reals.codes)
    if both:
        found[np.isnan(found[:, 0])] = np.nan
    return found


def jackknife(rows: Rows) -> Floats:
    """The `FIGURES` without each unit; of many units, without each of `BLOCKS` blocks of them: (blocks, figures).

    Blocks keep the sum of cubed and of squared influences, which BCa's acceleration is made of, in expectation.
    """
    blocks = min(rows.units, BLOCKS)
    of = np.random.default_rng(0).permutation(rows.units) % blocks
    return _each(rows, ((of != block).astype("int64") for block in range(blocks)), blocks)


def _each(rows: Rows, weights: Iterable[Any], count: int) -> Floats:
    """The `FIGURES` of every weighting, in order."""
    found = np.full((count, len(FIGURES)), np.nan)
    waiting, lock = iter(enumerate(weights)), threading.Lock()
    size = len(rows.ranking.fakes.codes) + len(rows.ranking.reals.codes)
    helpers = 1 if size < FEW else min(os.cpu_count() or 1, MOST_THREADS)
    with ThreadPoolExecutor(helpers) as pool:
        for done in [pool.submit(_work, rows, waiting, lock, found) for _ in range(helpers)]:
            done.result()
    return found


def _work(rows: Rows, waiting: Iterator[tuple[int, Any]], lock: threading.Lock, found: Floats) -> None:
    while True:
        with lock:  # the draws are one sequence, whichever thread takes them
            taken = next(waiting, None)
        if taken is None:
            return
        found[taken[0]] = rows.weighed(taken[1])

"""Bootstrap and jackknife over whole units, in threads."""

import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from deepfake_cli.metrics.figures import Rows
from deepfake_cli.metrics.names import FIGURES
from deepfake_cli.metrics.pooling import Floats

FEW = 20_000  # rows; with fewer, threads cost more time than they save
MOST_THREADS = 8
BLOCKS = 200  # most blocks of units that the jackknife leaves out in turn


def bootstrap(rows: Rows, resamples: int, seed: int) -> tuple[dict[str, Floats], int]:
    """Compute `FIGURES` of resamples, each of as many units as there are, drawn with replacement.

    A unit drawn k times has weight k. Resamples without a class that the rows have are left out.

    Returns:
        Metric name to its values, shape (resamples used,); and the number of resamples left out.
    """
    rng = np.random.default_rng(seed)
    drawn = (np.bincount(rng.integers(rows.units, size=rows.units), minlength=rows.units) for _ in range(resamples))
    values = _each(rows, drawn, resamples)
    both = len(rows.ranking.fakes.codes) and len(rows.ranking.reals.codes)
    used = ~np.isnan(values["auc"]) if both else np.ones(resamples, bool)
    return {name: column[used] for name, column in values.items()}, int((~used).sum())


def jackknife(rows: Rows) -> dict[str, Floats]:
    """Compute `FIGURES` without each unit; of many units, without each of `BLOCKS` blocks of them.

    In expectation, blocks keep the sums of squared and cubed influences that BCa's acceleration is made of.

    Returns:
        Metric name to its values, shape (blocks,).
    """
    blocks = min(rows.units, BLOCKS)
    of = np.random.default_rng(0).permutation(rows.units) % blocks
    return _each(rows, ((of != block).astype("int64") for block in range(blocks)), blocks)


def _each(rows: Rows, weights: Iterable[Any], count: int) -> dict[str, Floats]:
    """`FIGURES` of each of `count` weightings, in order."""
    values = {name: np.full(count, np.nan) for name in FIGURES}
    waiting, lock = iter(enumerate(weights)), threading.Lock()
    size = len(rows.ranking.fakes.codes) + len(rows.ranking.reals.codes)
    helpers = 1 if size < FEW else min(os.cpu_count() or 1, MOST_THREADS)
    with ThreadPoolExecutor(helpers) as pool:
        for done in [pool.submit(_work, rows, waiting, lock, values) for _ in range(helpers)]:
            done.result()
    return values


def _work(rows: Rows, waiting: Iterator[tuple[int, Any]], lock: threading.Lock, values: dict[str, Floats]) -> None:
    while True:
        with lock:  # one sequence of draws, whatever thread takes the next
            taken = next(waiting, None)
        if taken is None:
            return
        place, times = taken
        for name, value in rows.weighted(times).items():
            values[name][place] = value

"""The order of images in each pass through a list: seeded, and reading few remote tar files at a time."""

import numpy as np
import pandas as pd

from deepfake_cli.storage import tar_shards

WINDOW = 512  # tar files whose images are shuffled together: as many are copied before training on a remote list begins


def draw(labels: np.ndarray, number: int, *, reals: float | None, seed: int) -> np.ndarray:
    """The order of the `number`-th pass through a list, int64 indices: a shuffle, or a draw with this share of reals."""
    random = np.random.default_rng([seed, number])
    counts = np.bincount(labels, minlength=2)
    if reals is None or not counts.all():
        return random.permutation(len(labels))
    wanted = np.array([reals, 1 - reals]) / counts
    return random.choice(len(labels), size=len(labels), p=wanted[labels])


def streamed(order: np.ndarray, tars: np.ndarray, number: int, *, seed: int) -> np.ndarray:
    """Reorder a pass to read a few tar files at a time, so that it copies each remote tar once and keeps few.

    Each pass divides the tars into windows of `WINDOW` at random. Within a window, images keep their order.

    Args:
        order: from `draw`.
        tars: index of each image's tar, int64.
        number: of the pass.
        seed: of the order.
    """
    ranks = np.random.default_rng([seed, number, 1]).permutation(tars.max() + 1)
    return order[np.argsort(ranks[tars[order]] // WINDOW, kind="stable")]


def tar_codes(paths: "pd.Series[str]") -> np.ndarray | None:
    """Index of each image's tar; None if there are no tars, or so few that any order will do."""
    tars = paths.str.extract(rf"^(.*?\{tar_shards.SUFFIX})/", expand=False)
    codes, names = pd.factorize(tars.fillna(""))
    return codes if tars.notna().any() and len(names) > WINDOW else None

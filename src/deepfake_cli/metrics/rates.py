"""A share of files with an interval that knows that files of one group are alike."""

import numpy as np
from numpy.typing import ArrayLike

from deepfake_cli.metrics.checked import unit_codes
from deepfake_cli.metrics.few import FEWEST
from deepfake_cli.metrics.interval import LEVEL


def interval(hits: ArrayLike, groups: ArrayLike) -> tuple[float, float] | None:
    """The 95 % interval of a share, over groups; None below `FEWEST` groups.

    It is Clopper and Pearson's (1934) for the number of independent files that would vary as much: the files divided by
    their design effect, so at most all files (Korn and Graubard, Confidence intervals for proportions with small expected
    number of positive counts estimated from survey data, Survey Methodology 24, 1998). If no file or every file is a hit, the
    design effect is unknown, and each group counts as one file. Unlike a bootstrap, it does not end at 0 if no error was seen.

    Args:
        hits: shape (files,), whether each is a hit.
        groups: shape (files,), the group of each.
    """
    from scipy.special import betaincinv

    hit = np.asarray(hits, dtype="float64")
    units = unit_codes(groups, len(hit)) if len(hit) else np.zeros(0, "int64")
    count = int(units.max()) + 1 if len(units) else 0
    if count < FEWEST:
        return None
    share = hit.mean()
    off = np.bincount(units, hit - share)  # sums to 0
    variance = count / (count - 1) * (off**2).sum() / len(hit) ** 2
    size = share * (1 - share) / variance if variance > 0 else float(count)
    size = min(max(size, 1.0), float(len(hit)))
    positive = share * size
    ends = (1 - LEVEL) / 2, (1 + LEVEL) / 2
    low = betaincinv(positive, size - positive + 1, ends[0]) if positive else 0.0
    high = betaincinv(positive + 1, size - positive, ends[1]) if share < 1 else 1.0
    return float(low), float(high)

"""The numbers of a reliability diagram (Guo et al., ICML 2017)."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deepfake_cli.metrics.checked import checked_rows
from deepfake_cli.metrics.sums import BINS


def reliability(labels: ArrayLike, scores: ArrayLike, bins: int = BINS) -> list[dict[str, Any]]:
    """Bin rows by score, in bins of equal width: mean score and share of fakes of each.

    Args:
        labels: shape (n,), 0 for real and 1 for fake.
        scores: shape (n,), in [0, 1].
        bins: number of bins.

    Returns:
        For each bin with rows: ``low`` and ``high``, its ends; ``n``, its rows; ``score``, their mean score; ``fake``, their
        share of fakes.

    Raises:
        ManifestError: labels or scores are empty, differ in length or are out of range.
    """
    truth, score = checked_rows(labels, scores)
    places = np.minimum((score * bins).astype(int), bins - 1)
    counts, means, shares = (np.bincount(places, weights, bins) for weights in (None, score, truth))
    return [
        {
            "low": place / bins,
            "high": (place + 1) / bins,
            "n": int(counts[place]),
            "score": float(means[place] / counts[place]),
            "fake": float(shares[place] / counts[place]),
        }
        for place in np.flatnonzero(counts).tolist()
    ]

"""What scores claim, and what is so: the numbers of a reliability diagram (Guo et al., ICML 2017)."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deepfake_cli.metrics.checked import checked_rows
from deepfake_cli.metrics.sums import BINS


def reliability(labels: ArrayLike, scores: ArrayLike, bins: int = BINS) -> list[dict[str, Any]]:
    """Sort rows into bins of equal width by their score: what is claimed in each, and what is so.

    Args:
        labels: shape (n,), 0 for real and 1 for fake.
        scores: shape (n,), in [0, 1].
        bins: how many.

    Returns:
        For each bin that holds any: ``low`` and ``high``, its ends; ``n``, its rows; ``score``, their mean score;
        ``fake``, the share of fakes among them.

    Raises:
        ManifestError: labels or scores are empty, do not pair up or are out of range.
    """
    truth, score = checked_rows(labels, scores)
    places = np.minimum((score * bins).astype(int), bins - 1)
    counts, claimed, so = (np.bincount(places, weights, bins) for weights in (None, score, truth))
    return [
        {
            "low": place / bins,
            "high": (place + 1) / bins,
            "n": int(counts[place]),
            "score": float(claimed[place] / counts[place]),
            "fake": float(so[place] / counts[place]),
        }
        for place in np.flatnonzero(counts).tolist()
    ]

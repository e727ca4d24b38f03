"""DeLong's variance of the AUC, and his test of two AUCs on the same rows.

DeLong, DeLong and Clarke-Pearson 1988, computed by ranks as in Sun and Xu 2014. It assumes independent rows. Frames of one video
and videos of one person are not: its intervals are then too narrow; quote the bootstrap over groups.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deepfake_cli.metrics.checked import checked
from deepfake_cli.metrics.pooling import Codes, Floats
from deepfake_cli.metrics.ranking import Ranking

LEVEL = 0.95


def delong(labels: ArrayLike, scores: ArrayLike, level: float = LEVEL) -> dict[str, float | None]:
    """Return ``low`` and ``high`` of the normal interval of the AUC, clipped to [0, 1]; None with a single real or fake.

    Raises:
        ManifestError: as for `deepfake_cli.metrics.figures.figures`.
    """
    truth, score = checked(labels, scores)
    return of_ranking(Ranking.of(truth, score, np.zeros(len(truth), dtype="int64")), level)


def of_ranking(ranking: Ranking, level: float = LEVEL) -> dict[str, float | None]:
    """`delong` of ranked rows, without a second sort."""
    once = np.ones(1 + max(side.codes.max() for side in (ranking.fakes, ranking.reals)), dtype="int64")
    fakes, reals = ranking.fakes.walk(once), ranking.reals.walk(once)
    wins = 1 - (reals[ranking.reals_above] + reals[ranking.reals_down_to]) / 2 / reals[-1]
    losses = (fakes[ranking.fakes_above] + fakes[ranking.fakes_down_to]) / 2 / fakes[-1]
    auc = float(np.average(wins, weights=np.diff(fakes)))
    variance = sum(_variance(*each, auc) for each in ((wins, np.diff(fakes)), (losses, np.diff(reals))))
    if np.isnan(variance):
        return {"low": None, "high": None}
    half = _normal(level) * variance**0.5
    return {"low": max(auc - half, 0.0), "high": min(auc + half, 1.0)}


def _variance(wins: Floats, counts: Floats, mean: float) -> float:
    """Variance of the mean over the rows of one class; NaN with a single row."""
    rows = counts.sum()
    return float((counts * (wins - mean) ** 2).sum() / (rows - 1) / rows) if rows > 1 else np.nan


def delong_test(labels: ArrayLike, one: ArrayLike, other: ArrayLike, level: float = LEVEL) -> dict[str, Any]:
    """Compare the AUCs of two detectors on the same rows.

    Args:
        labels: shape (n,), 0 for real and 1 for fake.
        one: shape (n,), scores of the first detector.
        other: shape (n,), scores of the second detector.
        level: of the interval.

    Returns:
        ``difference`` (first minus second), its ``low`` and ``high``, ``z`` and the two-sided ``p``; the last four are
        None if both rankings are the same or a class has one row.

    Raises:
        ManifestError: as for `deepfake_cli.metrics.figures.figures`.
    """
    from scipy.special import ndtr

    wins = [_wins(*checked(labels, scores)) for scores in (one, other)]
    difference = float(wins[0][0].mean() - wins[1][0].mean())
    covariance = _covariance(wins)
    spread = float(np.sqrt(max(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1], 0)))
    if not spread > 1e-12:
        return {"difference": difference, "low": None, "high": None, "z": None, "p": None}
    half, z = _normal(level) * spread, difference / spread
    return {
        "difference": difference,
        "low": difference - half,
        "high": difference + half,
        "z": z,
        "p": float(2 * ndtr(-abs(z))),
    }


def _wins(truth: Codes, scores: Floats) -> tuple[Floats, Floats]:
    """Share of reals below each fake, and of fakes above each real; equal scores count half."""
    from scipy.stats import rankdata

    every, fake = rankdata(scores), truth == 1
    fakes, reals = scores[fake], scores[~fake]
    return (every[fake] - rankdata(fakes)) / len(reals), 1 - (every[~fake] - rankdata(reals)) / len(fakes)


def _covariance(wins: list[tuple[Floats, Floats]]) -> Floats:
    """Covariance of the AUCs; NaN if a class has one row."""
    of_class = [np.array(rows) for rows in zip(*wins, strict=True)]
    if min(rows.shape[1] for rows in of_class) < 2:
        return np.full((len(wins), len(wins)), np.nan)
    return sum((np.atleast_2d(np.cov(rows)) / rows.shape[1] for rows in of_class), np.zeros((len(wins), len(wins))))


def _normal(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))

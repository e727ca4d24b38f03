"""Metrics of labels and scores. Fake is the positive class, 1; real is 0."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from deepfake_cli.metrics.checked import checked
from deepfake_cli.metrics.curve import Curve
from deepfake_cli.metrics.few import unresolved
from deepfake_cli.metrics.names import FIGURES
from deepfake_cli.metrics.pooling import Codes, Floats
from deepfake_cli.metrics.ranking import Ranking
from deepfake_cli.metrics.sums import Sums

ERRORS = frozenset({"eer", "brier", "ece", "log_loss"})  # lower is better


@dataclass(frozen=True)
class Rows:
    """Sorted and summed rows, to be weighted by unit again and again."""

    ranking: Ranking
    sums: Sums
    cut: tuple[int, int]  # number of steps of fakes and of reals at or above the threshold
    units: int

    @classmethod
    def of(cls, truth: Codes, scores: Floats, threshold: float, codes: Codes) -> "Rows":
        """Sort and sum rows; `codes` has the number of the unit of each."""
        ranking = Ranking.of(truth, scores, codes)
        cut = int(ranking.fakes.down_to(threshold)), int(ranking.reals.down_to(threshold))
        return cls(ranking, Sums.of(truth, scores, codes), cut, int(codes.max()) + 1)

    def weighted(self, times: Codes) -> dict[str, float]:
        """`FIGURES` by name, each unit weighted by ``times[unit]``; NaN where a class is missing."""
        values = Curve(self.ranking, times).figures(self.cut) | self.sums.figures(times)
        return {name: values[name] for name in FIGURES}

    def unweighted(self) -> dict[str, float]:
        """`FIGURES` by name, each unit counted once; NaN where a class is missing, or the reals are too few for the rate."""
        once = np.ones(self.units, dtype="int64")
        reals = int(self.ranking.reals.walk(once)[-1])
        return self.weighted(once) | dict.fromkeys(unresolved(reals), np.nan)


def figures(labels: ArrayLike, scores: ArrayLike, threshold: float) -> dict[str, float]:
    """Return all `FIGURES`; docs/evaluation.md has definitions and sources.

    Args:
        labels: shape (n,), 0 for real and 1 for fake; both must occur.
        scores: shape (n,), in [0, 1], 1 for fake.
        threshold: scores at or above it are predicted fake.

    Returns:
        Metric name to value in [0, 1]; the log loss, in nats, may be higher. NaN for a true positive rate at a false positive
        rate below that of one real.

    Raises:
        ManifestError: labels or scores are empty, differ in length, are out of range or hold one class only.
    """
    truth, score = checked(labels, scores)
    one = np.zeros(len(truth), dtype="int64")
    return Rows.of(truth, score, threshold, one).unweighted()


def confusion(labels: ArrayLike, scores: ArrayLike, threshold: float) -> dict[str, int]:
    """Count rows by label and prediction.

    Args:
        labels: shape (n,), 0 for real and 1 for fake.
        scores: shape (n,), in [0, 1].
        threshold: scores at or above it are predicted fake.

    Raises:
        ManifestError: as for `figures`.
    """
    return counted(*checked(labels, scores), threshold)


def counted(truth: Codes, scores: Floats, threshold: float) -> dict[str, int]:
    """`confusion` of checked rows, which may be of one class."""
    names = ("real_as_real", "real_as_fake", "fake_as_real", "fake_as_fake")
    return dict(zip(names, np.bincount(2 * truth + (scores >= threshold), minlength=4).tolist(), strict=True))


def best_threshold(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the threshold in [0, 1] with the highest balanced accuracy (Youden 1950, "Index for rating diagnostic tests").

    The threshold is midway between two neighbouring scores, to suit other rows too. Of several equally good ones it is the
    middle one (of two, the higher). It is 0.5 if all scores are equal.

    Args:
        labels: shape (n,), 0 for real and 1 for fake.
        scores: shape (n,), in [0, 1].

    Raises:
        ManifestError: as for `figures`.
    """
    truth, score = checked(labels, scores)
    values, at = np.unique(-score, return_inverse=True)  # falling
    if len(values) == 1:
        return 0.5
    fakes, reals = (np.bincount(at[truth == label], minlength=len(values)).cumsum() for label in (1, 0))
    youden = fakes * reals[-1] - reals * fakes[-1]  # of a cut below each score, in whole numbers: ties are exact
    best = np.flatnonzero(youden == youden.max())
    place = best[(len(best) - 1) // 2]
    above, below = -values[place], np.append(-values, 0.0)[place + 1]
    middle = (above + below) / 2
    return float(middle if middle > below else above)  # neighbouring floats have no middle

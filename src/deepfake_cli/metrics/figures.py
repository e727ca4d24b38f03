"""Scores become figures. Fake is the positive class, 1; real is 0."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from deepfake_cli.metrics import names as terms
from deepfake_cli.metrics.checked import Codes, Floats, checked
from deepfake_cli.metrics.curve import Curve
from deepfake_cli.metrics.ranking import Ranking
from deepfake_cli.metrics.sums import Sums

FIGURES = tuple(terms.FIGURES)
ERRORS = frozenset({"eer", "brier", "ece", "log_loss"})  # the lower the better


@dataclass(frozen=True)
class Rows:
    """Rows, made ready to be weighed by their units again and again."""

    ranking: Ranking
    sums: Sums
    cut: tuple[int, int]  # steps of fakes and of reals that are called fake
    units: int

    @classmethod
    def of(cls, truth: Codes, scores: Floats, threshold: float, codes: Codes) -> "Rows":
        """Sort and sum the rows, `codes` being the units' numbers."""
        ranking = Ranking.of(truth, scores, codes)
        cut = int(ranking.fakes.down_to(threshold)), int(ranking.reals.down_to(threshold))
        return cls(ranking, Sums.of(truth, scores, codes), cut, int(codes.max()) + 1)

    def weighed(self, times: Codes) -> tuple[float, ...]:
        """`FIGURES`, in their order, where each unit weighs ``times[unit]``; NaN for what a class is missing for."""
        curve = Curve(self.ranking, times)
        return *curve.ranked(), *curve.called(self.cut), *curve.rates(), *self.sums.figures(times)

    def plain(self) -> tuple[float, ...]:
        """`FIGURES` of the rows as they are."""
        return self.weighed(np.ones(self.units, dtype="int64"))


def figures(labels: ArrayLike, scores: ArrayLike, threshold: float) -> dict[str, float]:
    """Return all `FIGURES`; docs/evaluation.md defines each and names its source.

    Args:
        labels: shape (n,), 0 for real and 1 for fake; both must occur.
        scores: shape (n,), how fake each row is, in [0, 1].
        threshold: a score of at least this is called fake.

    Returns:
        The names in `FIGURES` to fractions in [0, 1]; the log loss, in nats, may be higher.

    Raises:
        ManifestError: labels or scores are empty, do not pair up, are out of range or hold one class only.
    """
    truth, score = checked(labels, scores)
    one = np.zeros(len(truth), dtype="int64")
    return dict(zip(FIGURES, Rows.of(truth, score, threshold, one).plain(), strict=True))


def confusion(labels: ArrayLike, scores: ArrayLike, threshold: float) -> dict[str, int]:
    """Count the rows by what they are and what they are called.

    Args:
        labels: shape (n,), 0 for real and 1 for fake.
        scores: shape (n,), in [0, 1].
        threshold: a score of at least this is called fake.

    Raises:
        ManifestError: as for `figures`.
    """
    return counted(*checked(labels, scores), threshold)


def counted(truth: Codes, scores: Floats, threshold: float) -> dict[str, int]:
    """`confusion` of sound rows, which may be of one class."""
    names = ("real_as_real", "real_as_fake", "fake_as_real", "fake_as_fake")
    return dict(zip(names, np.bincount(2 * truth + (scores >= threshold), minlength=4).tolist(), strict=True))


def best_threshold(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the threshold in [0, 1] of highest balanced accuracy (Youden 1950, "Index for rating diagnostic tests").

    It lies midway between the two neighbouring scores that it parts, so that it carries over to other rows; of several
    equally good cuts it is the middle one (of two, the higher). It is 0.5 when all scores are equal.

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
    youden = fakes * reals[-1] - reals * fakes[-1]  # of a cut below each score; whole numbers, so that ties are exact
    best = np.flatnonzero(youden == youden.max())
    place = best[(len(best) - 1) // 2]
    above, below = -values[place], np.append(-values, 0.0)[place + 1]
    middle = (above + below) / 2
    return float(middle if middle > below else above)  # between neighbouring floats there is no middle

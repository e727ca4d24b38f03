"""Fit likelihood ratios to the scores of videos whose label is known.

Two methods, both with the empirical bounds of Vergeer et al. (2016):

*logistic* is logistic regression on the logit of the score, each class with half of the weight, so that no prior enters
(Brümmer and du Preez, Application-independent evaluation of speaker detection, Computer Speech and Language 20, 2006). Its
penalty, that of scikit-learn, shrinks ratios towards 1 if videos are few.

*kde* divides two densities, each a sum of Gaussians as wide as Silverman's rule says (Density Estimation, 1986, section 3.4.2).
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike

from deepfake_cli.errors import ManifestError
from deepfake_cli.metrics.checked import checked, unit_codes
from deepfake_cli.metrics.interval import LEVEL
from deepfake_cli.metrics.likelihood_ratio import METHODS, LikelihoodRatio, logit
from deepfake_cli.metrics.pooling import Codes, Floats
from deepfake_cli.registry import lookup

KNOTS = 101
STEP = 0.01  # of the bounds, in log10
FARTHEST = 9.0  # log10 ratios beyond this count as this
MOST_CELLS = 10**7  # of a table of distances: 80 MB

Curve = Callable[[Floats], Floats]  # from logits to log10 ratios


def fit(
    labels: ArrayLike,
    scores: ArrayLike,
    groups: ArrayLike,
    method: str = "logistic",
    *,
    resamples: int = 200,
    seed: int = 0,
) -> LikelihoodRatio:
    """Fit a map from scores to likelihood ratios, with intervals.

    Args:
        labels: shape (n,), 0 for real and 1 for fake; both must occur.
        scores: shape (n,), of videos, in [0, 1], 1 for fake.
        groups: shape (n,), the group of each video. Intervals resample whole groups.
        method: a key of `FITS`.
        resamples: number of resamples; 0 for no intervals: they are then the ratio itself.
        seed: of the resamples.

    Raises:
        ManifestError: labels or scores are invalid, all scores are equal, or reals score higher than fakes.
    """
    truth, score = checked(labels, scores)
    place = logit(score)
    if np.ptp(place) == 0:
        raise ManifestError(f"All {len(score):,} scores are {score[0]:g}: they support neither class.")
    if place[truth == 1].mean() <= place[truth == 0].mean():
        raise ManifestError(
            "Reals score higher than fakes, on average: these scores support the wrong class. Check the labels of the list, and "
            "deepfake evaluate."
        )
    knots = np.linspace(place.min(), place.max(), KNOTS)
    best = bounded(truth, place, method)(knots)
    drawn = [bounded(truth[rows], place[rows], method)(knots) for rows in resampled(truth, groups, resamples, seed)]
    ends = np.quantile([best, *drawn], [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    curves = (knots, best, np.minimum(ends[0], best), np.maximum(ends[1], best))
    return LikelihoodRatio(method, *(tuple(curve.tolist()) for curve in curves))


def bounded(truth: Codes, place: Floats, method: str) -> Curve:
    """Fit a method, and keep its ratios within the empirical bounds of the rows that it was fitted on."""
    curve = lookup(FITS, method, "method")(truth, place)
    low, high = elub(curve(place), truth)
    return lambda other: np.clip(curve(other), low, high)


def logistic(truth: Codes, place: Floats) -> Curve:
    """Logistic regression of labels (0 or 1) on logits, both of shape (n,), without a prior."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(class_weight="balanced").fit(place[:, None], truth)
    slope, intercept = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    return lambda other: (intercept + slope * other) / np.log(10)


def kde(truth: Codes, place: Floats) -> Curve:
    """Ratio of the Gaussian kernel densities of fakes and reals; labels (0 or 1) and logits of shape (n,)."""
    of_fakes, of_reals = _log_density(place[truth == 1]), _log_density(place[truth == 0])
    return lambda other: (of_fakes(other) - of_reals(other)) / np.log(10)


FITS: dict[str, Callable[[Codes, Floats], Curve]] = dict(zip(METHODS, (logistic, kde), strict=True))


def elub(log10: Floats, truth: Codes) -> tuple[float, float]:
    """The empirical lower and upper bound of log10 likelihood ratios, around 0.

    Beyond them, with one more misleading video of each class, deciding by the ratios would cost more than deciding without
    them (Vergeer et al., Numerical likelihood ratios outputted by LR systems are often based on extrapolation: when to stop
    extrapolating?, Science and Justice 56, 2016).

    Args:
        log10: shape (n,).
        truth: shape (n,), 0 for real and 1 for fake.
    """
    found = np.clip(log10, -FARTHEST, FARTHEST)
    fakes, reals = (np.sort(found[truth == label]) for label in (1, 0))
    least = max(found.min(), -np.log10(len(fakes) + 1))
    most = min(found.max(), np.log10(len(reals) + 1))
    first, last = min(0, int(least // STEP)), max(0, int(most // STEP) + 1)
    steps = np.linspace(first * STEP, last * STEP, last - first + 1)
    missed = (np.searchsorted(fakes, steps, side="right") + 1) / (len(fakes) + 1)
    alarms = (len(reals) - np.searchsorted(reals, steps, side="right") + 1) / (len(reals) + 1)
    cost, neutral = missed + 10**steps * alarms, np.where(steps >= 0, 1.0, 10**steps)
    worse = neutral < cost
    low = max([steps[0], *(steps[worse & (steps <= 0)] + STEP)])
    high = min([steps[-1], *(steps[worse & (steps >= 0)] - STEP)])
    return min(float(low), 0.0), max(float(high), 0.0)


def _log_density(points: Floats) -> Curve:
    """Natural logarithm of a Gaussian kernel density."""
    from scipy.special import logsumexp

    spread = float(points.std()) or 1.0
    width = spread * (4 / 3 / len(points)) ** 0.2

    def density(other: Floats) -> Floats:
        off = (other[:, None] - points) / width
        return np.asarray(logsumexp(-(off**2) / 2, axis=1) - np.log(len(points) * width * np.sqrt(2 * np.pi)))

    def in_parts(other: Floats) -> Floats:
        count = 1 + len(other) * len(points) // MOST_CELLS
        return np.concatenate([density(part) for part in np.array_split(np.asarray(other), count)])

    return in_parts


def resampled(truth: Codes, groups: ArrayLike, resamples: int, seed: int) -> Iterator[Codes]:
    """The rows of as many groups as there are, drawn with replacement; draws of one class are left out."""
    units = unit_codes(groups, len(truth))
    rng, count = np.random.default_rng(seed), int(units.max()) + 1
    parts = np.split(np.argsort(units, kind="stable"), np.cumsum(np.bincount(units))[:-1])
    for _ in range(resamples):
        rows = np.concatenate([parts[unit] for unit in rng.integers(count, size=count)])
        if 0 < truth[rows].sum() < len(rows):
            yield rows

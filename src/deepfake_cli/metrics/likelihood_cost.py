"""How good likelihood ratios are: their cost, and the curves of Tippett and ECE plots."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deepfake_cli.errors import ManifestError
from deepfake_cli.metrics.pooling import Codes, Floats

ODDS = np.linspace(-3, 3, 121)  # log10 prior odds of an ECE plot


def cllr(log10: ArrayLike, truth: ArrayLike) -> float:
    """Cost of log likelihood ratios, in bits: 0 is perfect, 1 is that of a ratio of 1 for all.

    Source: Brümmer and du Preez, Application-independent evaluation of speaker detection, Computer Speech and Language 20,
    2006.

    Args:
        log10: shape (n,), log10 ratios; those of 0 and infinity are -inf and inf.
        truth: shape (n,), 0 for real and 1 for fake; both must occur.

    Raises:
        ManifestError: one class is missing.
    """
    ratios, fake = _of_both(log10, truth)
    nats = np.log(10) * ratios
    bits = np.logaddexp(0, np.where(fake, -nats, nats)) / np.log(2)
    return float((bits[fake].mean() + bits[~fake].mean()) / 2)


def cllr_min(log10: ArrayLike, truth: ArrayLike) -> float:
    """`cllr` after the best rising map: what is left is not a fault of calibration, but of discrimination."""
    return cllr(best_rising(log10, truth), truth)


def best_rising(log10: ArrayLike, truth: ArrayLike) -> Floats:
    """Log10 ratios, (n,), after pool adjacent violators, each class with half of the weight; the ends are infinite."""
    from sklearn.isotonic import IsotonicRegression

    ratios, fake = _of_both(log10, truth)
    share = fake.mean()
    weights = np.where(fake, 1 - share, share)
    _, ranks = np.unique(ratios, return_inverse=True)  # scikit-learn gives NaN between ratios that are nearly equal
    fitted = IsotonicRegression(y_min=0, y_max=1).fit(ranks, fake.astype(float), weights).predict(ranks)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log10(fitted) - np.log10(1 - fitted))


def ece(log10: ArrayLike, truth: ArrayLike, odds: ArrayLike = ODDS) -> Floats:
    """Empirical cross-entropy in bits, for prior odds: float64 (odds,).

    Source: Ramos et al., Information-theoretical assessment of the performance of likelihood ratio computation methods,
    Journal of Forensic Sciences 58, 2013.

    Args:
        log10: shape (n,), log10 ratios.
        truth: shape (n,), 0 for real and 1 for fake; both must occur.
        odds: shape (odds,), log10 prior odds of fake.
    """
    ratios, fake = _of_both(log10, truth)
    prior = np.log(10) * np.asarray(odds, dtype="float64")[:, None]
    after = prior + np.log(10) * ratios
    of_fakes = (np.logaddexp(0, -after[:, fake]) / np.log(2)).mean(axis=1)
    of_reals = (np.logaddexp(0, after[:, ~fake]) / np.log(2)).mean(axis=1)
    share = np.exp(-np.logaddexp(0, -prior[:, 0]))
    return np.asarray(share * of_fakes + (1 - share) * of_reals)


def misleading(log10: Floats, truth: Codes) -> dict[str, Any]:
    """How often ratios support the wrong class: shares, and the most extreme log10 ratio of these videos (0: none)."""
    fakes, reals = log10[truth == 1], log10[truth == 0]
    return {
        "fake": float((fakes < 0).mean()),
        "real": float((reals > 0).mean()),
        "fake_worst": float(min(fakes.min(), 0)),
        "real_worst": float(max(reals.max(), 0)),
    }


def _of_both(log10: ArrayLike, truth: ArrayLike) -> tuple[Floats, np.ndarray]:
    """The ratios as float64, and which are of fakes."""
    ratios, fake = np.asarray(log10, dtype="float64"), np.asarray(truth) == 1
    if fake.all() or not fake.any():
        found = f"{len(fake):,} ratios, all of {'fakes' if fake.any() else 'reals'}"
        raise ManifestError(f"The cost of likelihood ratios needs those of reals and of fakes. Received: {found}.")
    return ratios, fake

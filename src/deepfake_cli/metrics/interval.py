"""Bootstrap intervals that resample whole units."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from deepfake_cli.errors import ConfigError
from deepfake_cli.metrics.checked import checked, unit_codes
from deepfake_cli.metrics.few import FEWEST
from deepfake_cli.metrics.figures import Rows
from deepfake_cli.metrics.pooling import Floats
from deepfake_cli.metrics.resample import bootstrap, jackknife

LEVEL = 0.95
METHODS = ("percentile", "bca")


@dataclass(frozen=True)
class Interval:
    """A metric with its confidence interval.

    Attributes:
        value: on all rows; None if a class that it needs is missing, or the reals are too few for its false positive rate.
        low: lower end; None if undefined, or with fewer than `deepfake_cli.metrics.few.FEWEST` units.
        high: upper end; None like the lower.
        left_out: number of resamples without one of the classes, which were not used.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    left_out: int = 0


def intervals(
    labels: ArrayLike,
    scores: ArrayLike,
    threshold: float,
    units: ArrayLike,
    resamples: int = 1000,
    seed: int = 0,
    level: float = LEVEL,
    method: str = "percentile",
) -> dict[str, Interval]:
    """Return metrics with bootstrap intervals that resample whole units.

    Frames of one video and videos of one person are similar: resampling single rows would make intervals too narrow. Each
    resample draws as many units as there are, with replacement, each with all its rows. Resamples of one class have no AUC;
    they are left out and counted in `Interval.left_out`.

    Args:
        labels: shape (n,), 0 for real and 1 for fake.
        scores: shape (n,), in [0, 1].
        threshold: a score of at least this is called fake.
        units: shape (n,), the unit (group or video) of each row. Draws refer to units in order of first appearance.
        resamples: number of resamples.
        seed: of the draws.
        level: share of the resamples between low and high, in (0, 1).
        method: "percentile" (Efron 1979), or "bca", corrected for bias and skewness (Efron 1987).

    Returns:
        Metric name to interval; low and high are None for fewer than ten units, or if no resample could be used.

    Raises:
        ManifestError: as for `figures`, or a row has no unit.
        ConfigError: the method is unknown.
    """
    truth, score = checked(labels, scores)
    return of_rows(Rows.of(truth, score, threshold, unit_codes(units, len(truth))), resamples, seed, level, method)


def of_rows(rows: Rows, resamples: int, seed: int, level: float, method: str) -> dict[str, Interval]:
    """`intervals` of prepared rows, which may be of one class."""
    values = rows.unweighted()
    if rows.units < FEWEST:
        return {name: Interval(_number(value)) for name, value in values.items()}
    drawn, left_out = bootstrap(rows, resamples, seed)
    without = jackknife(rows) if method == "bca" else {}
    result = {}
    for name, value in values.items():
        low, high = limits(value, drawn[name], without.get(name), level, method)
        result[name] = Interval(_number(value), _number(low), _number(high), left_out)
    return result


def limits(value: float, drawn: Floats, without: Floats | None, level: float, method: str) -> tuple[float, float]:
    """Return low and high of the interval of one metric; NaN where there is none.

    Args:
        value: of the rows, not resampled.
        drawn: of the resamples, shape (resamples,).
        without: of the jackknife, shape (blocks,), for "bca"; else None.
        level: share of the resamples between low and high.
        method: one of `METHODS`.

    Raises:
        ConfigError: the method is unknown.
    """
    if method not in METHODS:
        raise ConfigError(f"Unknown interval {method!r}; allowed: {', '.join(METHODS)}.")
    if not len(drawn) or np.isnan(value):
        return np.nan, np.nan
    quantiles = (1 - level) / 2, (1 + level) / 2
    if without is not None:
        quantiles = _corrected(value, drawn, without, quantiles)
    low, high = np.quantile(drawn, quantiles).tolist()
    return low, high


def _corrected(value: float, drawn: Floats, without: Floats, plain: tuple[float, float]) -> tuple[float, float]:
    """The quantiles of BCa (Efron 1987, equations 6.6 and 2.3); the plain ones where these are undefined."""
    from scipy.special import ndtr, ndtri

    below = ((drawn < value).mean() + (drawn <= value).mean()) / 2  # ties count half, as in SciPy
    bias = float(ndtri(below))
    off = np.nanmean(without) - without[~np.isnan(without)] if not np.isnan(without).all() else np.zeros(1)
    spread = float((off**2).sum())
    if not np.isfinite(bias):
        return plain
    skew = float((off**3).sum()) / (6 * spread**1.5) if spread else 0.0
    shifted = [bias + float(ndtri(end)) for end in plain]
    low, high = (float(ndtr(bias + shift / (1 - skew * shift))) for shift in shifted)
    return low, high


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

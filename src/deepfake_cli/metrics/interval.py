"""Figures with bootstrap intervals that resample whole units."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from deepfake_cli.errors import ConfigError
from deepfake_cli.metrics.checked import Floats, checked, unit_codes
from deepfake_cli.metrics.figures import FIGURES, Rows
from deepfake_cli.metrics.resample import draws, jackknife

LEVEL = 0.95
METHODS = ("percentile", "bca")


@dataclass(frozen=True)
class Interval:
    """A figure with its confidence interval.

    Attributes:
        value: the figure on the rows as they are; None where a class is missing that it needs.
        low: the interval's lower end; None when it cannot be had.
        high: the interval's upper end; None when it cannot be had.
        left_out: resamples that were not used, since they lacked a class.
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
    """Return `figures` with bootstrap intervals that resample whole units.

    Frames of one video, and videos of one person, are alike; resampling them one by one would make the intervals too
    narrow. As many units as there are get drawn with replacement, each with all of its rows. Resamples that hold a
    single class have no AUC; they are left out and counted in `Interval.left_out`.

    Args:
        labels: shape (n,), 0 for real and 1 for fake.
        scores: shape (n,), in [0, 1].
        threshold: a score of at least this is called fake.
        units: shape (n,), the unit (a group, a video) of each row. The order of their first appearance fixes which
            draw meets which unit.
        resamples: how many resamples to draw.
        seed: of the draws.
        level: share of the resamples between low and high, in (0, 1).
        method: "percentile" (Efron 1979), or "bca", corrected for bias and skewness (Efron 1987).

    Returns:
        The names in `FIGURES` to intervals; low and high are None for a single unit, or if no resample could be used.

    Raises:
        ManifestError: as for `figures`, or a row has no unit.
        ConfigError: there is no such method.
    """
    truth, score = checked(labels, scores)
    return measured(Rows.of(truth, score, threshold, unit_codes(units, len(truth))), resamples, seed, level, method)


def measured(rows: Rows, resamples: int, seed: int, level: float, method: str) -> dict[str, Interval]:
    """`intervals` of rows that are ready, and may be of one class."""
    values = np.array(rows.plain())
    if rows.units == 1:
        return {name: Interval(_number(value)) for name, value in zip(FIGURES, values, strict=True)}
    drawn = draws(rows, resamples, seed)
    without = jackknife(rows) if method == "bca" else None
    ends = limits(values, drawn, without, level, method)
    left_out = int(np.isnan(drawn[:, -1]).sum())
    return {
        name: Interval(_number(value), _number(low), _number(high), left_out)
        for name, value, (low, high) in zip(FIGURES, values, ends, strict=True)
    }


def limits(values: Floats, drawn: Floats, without: Floats | None, level: float, method: str) -> Floats:
    """The ends of each figure's interval: (figures, 2), NaN where there is none.

    Args:
        values: (figures,), of the rows as they are.
        drawn: (resamples, figures), of the resamples; NaN throughout where one is left out.
        without: (units, figures), the jackknife's, for "bca".
        level: share of the resamples between the ends.
        method: one of `METHODS`.
    """
    if method not in METHODS:
        raise ConfigError(f"No such interval: {method!r}; allowed: {', '.join(METHODS)}.")
    drawn = drawn[~np.isnan(drawn[:, -1])]
    if not len(drawn):
        return np.full((len(values), 2), np.nan)
    plain = (1 - level) / 2, (1 + level) / 2
    if without is None:
        return np.quantile(drawn, plain, axis=0).T
    return np.array(
        [
            np.quantile(drawn[:, at], _corrected(value, drawn[:, at], without[:, at], plain))
            for at, value in enumerate(values)
        ]
    )


def _corrected(value: float, drawn: Floats, without: Floats, plain: tuple[float, float]) -> tuple[float, float]:
    """The quantiles that BCa takes (Efron 1987, equations 6.6 and 2.3); the plain ones where it has no answer."""
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

"""Metrics with intervals from arrays, in one call."""

from html import escape
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from deepfake_cli.metrics.few import RATES, needed, no_interval
from deepfake_cli.metrics.interval import LEVEL, Interval, intervals

if TYPE_CHECKING:
    import pandas as pd


class Measured(dict[str, Interval]):
    """Metrics with their intervals: a dictionary by the keys of `deepfake_cli.metrics.names.FIGURES`.

    Attributes:
        units: number of groups that the intervals rest on.
    """

    units = 0

    def __repr__(self) -> str:
        lines = [f"{name:<{max(map(len, self))}}  {_text(name, figure)}" for name, figure in self.items()]
        return "\n".join([*lines, self._about()])

    def _repr_html_(self) -> str:
        rows = (f"<tr><th>{escape(name)}</th><td>{_text(name, figure)}</td></tr>" for name, figure in self.items())
        return f"<table>{''.join(rows)}</table><p>{self._about()}</p>"

    def _about(self) -> str:
        return no_interval(self.units, "group") or f"{LEVEL:.0%} intervals over {self.units:,} groups"

    def to_dict(self) -> dict[str, dict[str, float | None]]:
        """Metric to ``{"value", "low", "high"}``; None where undefined."""
        return {name: {"value": figure.value, "low": figure.low, "high": figure.high} for name, figure in self.items()}

    def to_df(self) -> "pd.DataFrame":
        """A row per metric, with the columns value, low and high; NaN where undefined."""
        import pandas as pd

        return pd.DataFrame.from_dict(self.to_dict(), orient="index", dtype="float64")


def measure(
    labels: ArrayLike,
    scores: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    threshold: float = 0.5,
    resamples: int = 1000,
    seed: int = 0,
) -> Measured:
    """Measure scores: AUC, EER, calibration and others, with 95 % intervals that resample whole groups.

    Args:
        labels: shape (n,), or (n, 1) as Keras returns it: 0 for real and 1 for fake; both must occur.
        scores: of the same shape, in 0..1, high for fake.
        groups: shape (n,), what is not independent: the person or video of each row; None if all rows are independent.
        threshold: scores at or above it are predicted fake.
        resamples: number of bootstrap resamples.
        seed: of the bootstrap.

    Returns:
        The metrics by name: ``measure(…)["auc"].value``, ``.low`` and ``.high``, which are None where undefined; there
        is no interval of fewer than ten groups.

    Raises:
        ManifestError: labels, scores or groups are empty, differ in length, are out of range or hold one class only.
    """
    truth, score = (_flat(values) for values in (labels, scores))
    units = np.arange(len(truth)) if groups is None else _flat(groups)
    result = Measured(intervals(truth, score, threshold, units, resamples, seed))
    result.units = len(np.unique(units))
    return result


def _flat(values: ArrayLike) -> np.ndarray:
    """An array (n,), also of a column (n, 1)."""
    array = np.asarray(values)
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _text(name: str, figure: Interval) -> str:
    if figure.value is None:
        return f"needs {needed(name):,} reals" if name in RATES else "undefined"
    ends = "" if figure.low is None or figure.high is None else f" ({figure.low:.3f}–{figure.high:.3f})"
    return f"{figure.value:.3f}{ends}"

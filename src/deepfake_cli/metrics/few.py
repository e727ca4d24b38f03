"""What few rows cannot show: an interval of few units, a rate finer than one real."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from deepfake_cli.metrics.names import FIGURES

FEWEST = 10  # independent units; a bootstrap of fewer gives intervals that are too narrow
RATES = {"tpr_at_fpr_0.1": 0.001, "tpr_at_fpr_1": 0.01, "tpr_at_fpr_5": 0.05}  # metric to false positive rate


def needed(name: str) -> int:
    """The number of reals of which the false positive rate of a metric of `RATES` is one."""
    return ceil(1 / RATES[name] - 1e-9)


def unresolved(reals: int) -> list[str]:
    """The metrics of `RATES` that so many reals cannot show."""
    return [name for name in RATES if reals < needed(name)]


def no_interval(units: int, unit: str) -> str | None:
    """Why there is no interval; None if there are enough units."""
    if units >= FEWEST:
        return None
    return f"No intervals: {units} independent {unit}{'s' * (units != 1)}, at least {FEWEST} are needed."


def notes(levels: Mapping[str, Mapping[str, Any] | None], interval: Mapping[str, Any]) -> list[str]:
    """What the metrics of frames, videos and groups leave out, and why.

    Args:
        levels: name to metrics, of which ``real``, the number of reals, is read.
        interval: ``unit`` and ``units``, their number.
    """
    reals = {name: level["real"] for name, level in levels.items() if level and level["real"] and level["fake"]}
    return [*filter(None, [no_interval(interval["units"], interval["unit"]), _rates(reals)])]


def _rates(reals: Mapping[str, int]) -> str | None:
    """Why true positive rates are missing, and at which level."""
    lacking: dict[str, Sequence[str]] = {
        name: [f"{level}s {count:,}" for level, count in reals.items() if count < needed(name)] for name in RATES
    }
    parts = [
        f"{FIGURES[name].name} needs {needed(name):,} reals ({', '.join(who)})" for name, who in lacking.items() if who
    ]
    return f"Not measured, too few reals: {'; '.join(parts)}." if parts else None

"""Describe properties per class: median and 90 % range of numbers, counts of words."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from deepfake_cli.audit.baseline import alone
from deepfake_cli.audit.properties import Property
from deepfake_cli.datasets.clip import LABELS

if TYPE_CHECKING:
    import pandas as pd


def describe(table: "pd.DataFrame", properties: Mapping[str, Property], seed: int) -> dict[str, dict[str, Any]]:
    """Describe each property, highest AUC first.

    Args:
        table: one row per image or video, with the columns label, dataset, video, group and those of `properties`.
        properties: by column name.
        seed: of the bootstrap.

    Returns:
        For each property with a value: ``title``, ``unit``, ``real`` and ``fake`` (``known``, and ``median``, ``low``, ``high``
        (5 and 95 %), or ``values``: word to count), ``same`` (whether it is constant) and ``alone`` (see `baseline.alone`).
    """
    described: dict[str, dict[str, Any]] = {}
    for name, about in properties.items():
        if table[name].notna().any():
            of = _words if about.words else _numbers
            figures = {word: of(table.loc[table["label"] == label, name].dropna()) for label, word in enumerate(LABELS)}
            judged = {"same": table[name].nunique() == 1, "alone": alone(table, name, seed)}
            described[name] = {"title": about.title, "unit": about.unit, **figures, **judged}
    return dict(sorted(described.items(), key=lambda item: -(item[1]["alone"] or {"auc": 0})["auc"]))


def _numbers(values: "pd.Series[Any]") -> dict[str, Any]:
    if values.empty:
        return {"known": 0, "median": None, "low": None, "high": None}
    low, median, high = values.astype(float).quantile([0.05, 0.5, 0.95]).tolist()
    return {"known": len(values), "median": median, "low": low, "high": high}


def _words(values: "pd.Series[Any]") -> dict[str, Any]:
    return {"known": len(values), "values": {str(word): int(n) for word, n in values.value_counts().items()}}

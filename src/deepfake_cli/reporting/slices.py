"""Metrics of each data set, quality, method and group, as rows of a forest plot."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

BY = ("dataset", "quality", "method", "group")
MOST = 60  # rows per plot: a data set may have a thousand groups


def forests(metrics: Mapping[str, Any], predictions: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return a forest plot for each column with two or more slices.

    Args:
        metrics: as in ``metrics.json``; its ``slices`` have intervals.
        predictions: one row per frame; slices without intervals are computed from it if an older ``metrics.json`` has none.

    Returns:
        For each column: ``by`` (its name), ``rows`` (value, frame; lowest AUC first), ``left_out`` (number of further rows)
        and ``low``, the start of the AUC axis, which ends at 1.
    """
    slices = metrics.get("slices") or list(_without_intervals(predictions, metrics["threshold"]))
    kinds = ((by, [row for row in slices if row["by"] == by]) for by in BY)
    return [_forest(by, rows) for by, rows in kinds if len(rows) > 1]


def _forest(by: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    ordered = sorted(rows, key=lambda row: (_auc(row) is None, _auc(row) or 0))
    lowest = [
        value for row in rows for value in ((row["frame"].get("auc") or {}).get(key) for key in ("low", "value"))
        if value is not None
    ]  # fmt: skip
    low = min([0.4, *lowest])
    return {"by": by, "rows": ordered[:MOST], "left_out": max(0, len(rows) - MOST), "low": int(low * 10) / 10}


def _auc(row: Mapping[str, Any]) -> float | None:
    return (row["frame"].get("auc") or {}).get("value")


def _without_intervals(predictions: "pd.DataFrame", threshold: float) -> Iterator[dict[str, Any]]:
    from sklearn.metrics import roc_auc_score

    for by in (name for name in BY if name in predictions.columns and name != "method"):  # a method has no reals
        for value, rows in predictions.groupby(by, observed=True, sort=True):
            fakes, right = int(rows["label"].sum()), (rows["score"] >= threshold) == (rows["label"] == 1)
            both = 0 < fakes < len(rows)
            auc = float(roc_auc_score(rows["label"], rows["score"])) if both else None
            metrics = {"auc": {"value": auc}, "accuracy": {"value": float(right.mean())}}
            yield {"by": by, "value": str(value), "frame": {"real": len(rows) - fakes, "fake": fakes, **metrics}}

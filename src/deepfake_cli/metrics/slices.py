"""Slices of the rows: by data set, quality, method and group."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from deepfake_cli.metrics.pooling import Codes

BY = ("dataset", "quality", "method", "group")
MOST = 100  # values of one column: a longer table is unreadable


def slices_of(videos: pd.DataFrame) -> tuple[list[tuple[str, Any]], list[str]]:
    """Return slices as pairs of column and value, and notes on columns left out.

    A column is sliced if it has two or more values. The value of a group is a pair of data set and group. Only fakes have a
    method.
    """
    found: list[tuple[str, Any]] = []
    notes = []
    for by in BY:
        values = list(_values(videos, by))
        if len(values) > MOST:
            notes.append(f"No slices by {by}: {len(values):,} values, at most {MOST} are shown.")
        elif len(values) > 1:
            found += [(by, value) for value in values]
    return found, notes


def _values(videos: pd.DataFrame, by: str) -> Iterator[Any]:
    if by not in videos:
        return iter(())
    if by == "group":
        pairs = videos[["dataset", "group"]].astype(str).drop_duplicates()
        return iter(sorted(pairs.itertuples(index=False, name=None)))
    rows = videos[videos["label"] == 1] if by == "method" else videos
    return iter(sorted(set(rows[by].dropna().astype(str)) - {""}))


class Table:
    """Rows prepared for slicing: each column as codes and their values."""

    def __init__(self, rows: pd.DataFrame):
        self.labels = rows["label"].to_numpy()
        self.columns = {by: pd.factorize(rows[by]) for by in BY if by in rows}

    def where(self, by: str, value: Any) -> np.ndarray:
        """Return a mask of the rows of a slice, shape (rows,).

        The slice of a method includes all reals of its data sets, that of a quality the reals without a quality.
        """
        if by == "group":
            return self._is("dataset", value[0]) & self._is("group", value[1])
        own = self._is(by, value)
        if by == "dataset":
            return own
        reals = self.labels == 0
        own &= ~reals if by == "method" else True
        blank = self._is(by, "") | (self._codes(by) < 0) if by == "quality" else True
        datasets = self._codes("dataset")
        return own | (reals & blank & np.isin(datasets, np.unique(datasets[own])))

    def _codes(self, by: str) -> Codes:
        return self.columns[by][0]

    def _is(self, by: str, value: str) -> np.ndarray:
        codes, values = self.columns[by]
        at = [place for place, other in enumerate(values) if str(other) == value]
        return np.isin(codes, at) if len(at) != 1 else codes == at[0]


def shown(by: str, value: Any, several: bool) -> str:
    """Name of a slice; a group has its data set in front if there are several."""
    return ("/".join(value) if several else value[1]) if by == "group" else value

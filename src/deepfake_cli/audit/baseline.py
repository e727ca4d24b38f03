"""How well the properties alone tell fakes from reals: each by itself, and a classifier of several together.

Frames of one video are alike, and so are videos of one person: the classifier is tested on groups that it was not trained on,
and intervals resample groups.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deepfake_cli.metrics.interval import intervals

if TYPE_CHECKING:
    import pandas as pd

FOLDS, RESAMPLES = 5, 500
MOSTLY = 0.9  # of the rows of each class: a property known of fewer would give away what is known, not what is there


def unit_of(table: "pd.DataFrame") -> str:
    """What is held out and resampled: the group; the video, where there is one group only."""
    return "group" if len(table[["dataset", "group"]].drop_duplicates()) > 1 else "video"


def units(table: "pd.DataFrame") -> np.ndarray:
    """Number the units (see `unit_of`) of the rows from 0, by first appearance: shape (n,)."""
    return table.groupby(["dataset", unit_of(table)], observed=True, sort=False).ngroup().to_numpy()


def alone(table: "pd.DataFrame", name: str, seed: int) -> dict[str, Any] | None:
    """Return the AUC of one property by itself, turned so that it is at least 0.5.

    A word is ranked by the share of fakes among the rows that have it.

    Args:
        table: with the columns label (0 or 1), dataset, video, group and `name`; rows without a value are left out.
        name: the property's column.
        seed: of the bootstrap.

    Returns:
        ``auc``, ``low`` and ``high`` (the ends of the interval, or None), ``fakes`` (``"higher"`` or ``"lower"``: which way
        the fakes lie; None for words and at 0.5) and ``known`` (rows with a value); None if a class has no value. A property
        that is the same in all rows has an AUC of 0.5 and no interval.
    """
    known = table[table[name].notna()]
    if known["label"].nunique() < 2:
        return None
    if known[name].nunique() == 1:
        return {"auc": 0.5, "low": None, "high": None, "fakes": None, "known": len(known)}
    if known[name].dtype.kind in "biuf":
        values, sides = known[name].rank(method="dense"), ["higher", "lower"]
    else:
        values, sides = known[name].map(known.groupby(name, observed=True)["label"].mean()).astype(float), []
    scores = (values / values.max()).to_numpy()
    found = _auc(known, scores, seed)
    lower = found["auc"] < 0.5
    if lower:
        found = _auc(known, 1 - scores, seed)
    return found | {"fakes": sides[lower] if sides and found["auc"] > 0.5 else None, "known": len(known)}


def together(table: "pd.DataFrame", names: Sequence[str], seed: int) -> dict[str, Any]:
    """Return the AUC of a classifier of several properties, each unit scored by one trained on other units.

    Gradient-boosted trees (scikit-learn's ``HistGradientBoostingClassifier``), classes weighted equally, in a stratified
    k-fold by unit; the folds' scores are ranked together.

    Args:
        table: as for `alone`, with all the columns `names`; a value may be missing.
        names: columns to classify by. Those that are constant, or not known of nearly all rows of each class, are not used.
        seed: of the folds, the trees and the bootstrap.

    Returns:
        ``auc``, ``low``, ``high``, ``rows``, ``unit`` (``"group"`` or ``"video"``), ``units`` (their number), ``folds`` and
        ``properties`` (those used). Where it can't be measured, ``auc`` is None and ``why`` says why.
    """
    known = [name for name in names if table[name].notna().groupby(table["label"]).mean().min() >= MOSTLY]
    used = [name for name in known if table[name].nunique() > 1]
    codes, label = units(table), table["label"].to_numpy()
    fewest = min(len(np.unique(codes[label == value])) for value in (0, 1))
    result = {"rows": len(table), "unit": unit_of(table), "units": len(np.unique(codes)), "properties": used}
    nothing = {"auc": None, "low": None, "high": None, "folds": 0}
    if fewest < 2:
        return result | nothing | {"why": f"it takes two {result['unit']}s of each class"}
    if not used:
        why = "they are the same in all rows" if known else "they are not known of both classes"
        return result | nothing | {"why": why}
    folds = min(FOLDS, fewest)
    return result | _auc(table, _scores(table, used, codes, folds, seed), seed) | {"folds": folds}


def _scores(table: "pd.DataFrame", names: list[str], codes: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """How fake each row is, in 0..1, by trees that saw no row of its unit."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedGroupKFold
    from threadpoolctl import threadpool_limits

    inputs, label = _numbers(table[names]), table["label"].to_numpy()
    scores = np.full(len(table), 0.5)
    for train, test in StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(inputs, label, codes):
        if len(np.unique(label[train])) < 2:
            continue  # all units of a class fell into this fold: its rows stay at 0.5
        leaf = int(np.clip(len(train) // 50, 2, 20))
        trees = HistGradientBoostingClassifier(
            max_iter=60, max_leaf_nodes=8, min_samples_leaf=leaf, class_weight="balanced", random_state=seed
        )
        with threadpool_limits(1):  # so few rows take longer in several threads
            scores[test] = trees.fit(inputs[train], label[train]).predict_proba(inputs[test])[:, 1]
    return scores


def _numbers(table: "pd.DataFrame") -> np.ndarray:
    """Words become one column each, 0 or 1; what is missing stays NaN."""
    import pandas as pd

    return pd.get_dummies(table, dummy_na=False).astype("float64").to_numpy()


def _auc(table: "pd.DataFrame", scores: np.ndarray, seed: int) -> dict[str, Any]:
    found = intervals(table["label"], scores, 0.5, units(table), RESAMPLES, seed)["auc"]
    return {"auc": found.value, "low": found.low, "high": found.high}

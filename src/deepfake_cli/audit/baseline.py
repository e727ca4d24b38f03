"""How well properties alone separate fakes from reals: the AUC of each, and of a classifier on several.

Frames of one video and videos of one person are similar. So the classifier is tested on other groups than it was trained on, and
intervals resample groups.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deepfake_cli.metrics.interval import intervals

if TYPE_CHECKING:
    import pandas as pd

FOLDS, RESAMPLES = 5, 500
MOSTLY = 0.9  # share of the rows of each class with a value; below it, missing values could reveal the class


def unit_of(table: "pd.DataFrame") -> str:
    """The unit to hold out: the group; the video if there is only one group."""
    return "group" if len(table[["dataset", "group"]].drop_duplicates()) > 1 else "video"


def units(table: "pd.DataFrame") -> np.ndarray:
    """Number the units (see `unit_of`) of the rows from 0, by first appearance: shape (n,)."""
    return table.groupby(["dataset", unit_of(table)], observed=True, sort=False).ngroup().to_numpy()


def alone(table: "pd.DataFrame", name: str, seed: int) -> dict[str, Any] | None:
    """Return the AUC of one property, flipped to be at least 0.5.

    Words are ranked by the share of fakes among their rows.

    Args:
        table: with the columns label (0 or 1), dataset, video, group and `name`; rows without a value are ignored.
        name: the property's column.
        seed: of the bootstrap.

    Returns:
        ``auc``, ``low`` and ``high`` (of the interval, or None), ``fakes`` (``"higher"`` or ``"lower"``: values of fakes against
        reals; None for words and at 0.5) and ``known`` (number of rows with a value); None if a class has no value. A constant
        property has an AUC of 0.5 and no interval.
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
    metric = _auc(known, scores, seed)
    lower = metric["auc"] < 0.5
    if lower:
        metric = _auc(known, 1 - scores, seed)
    return metric | {"fakes": sides[lower] if sides and metric["auc"] > 0.5 else None, "known": len(known)}


def together(table: "pd.DataFrame", names: Sequence[str], seed: int) -> dict[str, Any]:
    """Return the cross-validated AUC of a classifier on several properties.

    Gradient-boosted trees (scikit-learn's ``HistGradientBoostingClassifier``) with balanced classes, in a stratified k-fold
    grouped by unit; one AUC over the scores of all folds.

    Args:
        table: as for `alone`, with all the columns `names`; a value may be missing.
        names: columns to use, except constant ones and those with too many missing values in a class (see `MOSTLY`).
        seed: of the folds, the trees and the bootstrap.

    Returns:
        ``auc``, ``low``, ``high``, ``rows``, ``unit`` (``"group"`` or ``"video"``), ``units`` (their number), ``folds`` and
        ``properties`` (those used). If it cannot be measured, ``auc`` is None and ``why`` has the reason.
    """
    known = [name for name in names if table[name].notna().groupby(table["label"]).mean().min() >= MOSTLY]
    used = [name for name in known if table[name].nunique() > 1]
    codes, label = units(table), table["label"].to_numpy()
    fewest = min(len(np.unique(codes[label == value])) for value in (0, 1))
    result = {"rows": len(table), "unit": unit_of(table), "units": len(np.unique(codes)), "properties": used}
    nothing = {"auc": None, "low": None, "high": None, "folds": 0}
    if fewest < 2:
        return result | nothing | {"why": f"needs two {result['unit']}s of each class"}
    if not used:
        why = "all are constant" if known else "unknown for one of the classes"
        return result | nothing | {"why": why}
    folds = min(FOLDS, fewest)
    return result | _auc(table, _scores(table, used, codes, folds, seed), seed) | {"folds": folds}


def _scores(table: "pd.DataFrame", names: list[str], codes: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Score each row, in 0..1, with trees trained on other units."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedGroupKFold
    from threadpoolctl import threadpool_limits

    inputs, label = _numbers(table[names]), table["label"].to_numpy()
    scores = np.full(len(table), 0.5)
    for train, test in StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(inputs, label, codes):
        if len(np.unique(label[train])) < 2:
            continue  # training units of one class only: scores stay at 0.5
        leaf = int(np.clip(len(train) // 50, 2, 20))
        trees = HistGradientBoostingClassifier(
            max_iter=60, max_leaf_nodes=8, min_samples_leaf=leaf, class_weight="balanced", random_state=seed
        )
        with threadpool_limits(1):  # few rows are slower in several threads
            scores[test] = trees.fit(inputs[train], label[train]).predict_proba(inputs[test])[:, 1]
    return scores


def _numbers(table: "pd.DataFrame") -> np.ndarray:
    """One-hot encode words; missing numbers stay NaN."""
    import pandas as pd

    return pd.get_dummies(table, dummy_na=False).astype("float64").to_numpy()


def _auc(table: "pd.DataFrame", scores: np.ndarray, seed: int) -> dict[str, Any]:
    groups = table.groupby(["dataset", "group"], observed=True, sort=False).ngroup().to_numpy()
    auc = intervals(table["label"], scores, 0.5, groups, RESAMPLES, seed)["auc"]
    return {"auc": auc.value, "low": auc.low, "high": auc.high}

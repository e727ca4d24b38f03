"""Calibration: a map from scores to probabilities, fitted on validation data.

Trained networks are overconfident: their scores are too close to 0 and 1. A monotone map corrects this and keeps the ranking of
frames. *temperature* divides the logit by one number (Guo et al., On Calibration of Modern Neural Networks, ICML 2017);
*isotonic* fits a rising step function (Zadrozny and Elkan, Transforming Classifier Scores into Accurate Multiclass Probability
Estimates, KDD 2002). The map holds for data like the validation data, with the same share of fakes.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from deepfake_cli.errors import ManifestError, ModelError
from deepfake_cli.metrics.likelihood_ratio import logit
from deepfake_cli.metrics.pooling import Codes, Floats

if TYPE_CHECKING:
    import pandas as pd

TEMPERATURES = (0.05, 20.0)  # range of the search
TILT = 1e-4  # share of the score added to the map: keeps ranks and decisions where the map is flat
METHODS = ("temperature", "isotonic")


@dataclass(frozen=True)
class Calibration:
    """A monotone map from scores to probabilities, both in [0, 1].

    Attributes:
        method: one of `METHODS`.
        temperature: divisor of the logits, for "temperature"; above 1 makes scores less extreme.
        scores: knots of "isotonic", rising; the map is linear between them.
        probabilities: values at the knots.
    """

    method: str
    temperature: float = 1.0
    scores: tuple[float, ...] = ()
    probabilities: tuple[float, ...] = ()

    @classmethod
    def fit(cls, labels: ArrayLike, scores: ArrayLike, method: str = "temperature") -> "Calibration":
        """Fit the map.

        Args:
            labels: shape (n,), 0 for real and 1 for fake; both must occur.
            scores: shape (n,), in [0, 1], 1 for fake.
            method: one of `METHODS`.

        Raises:
            ManifestError: labels or scores are out of range, differ in length, hold one class only, or all scores are equal.
        """
        from deepfake_cli.metrics.checked import checked  # loads pandas, which `apply` does not need

        truth, score = checked(labels, scores)
        if np.ptp(score) == 0:
            raise ManifestError(f"All {len(score):,} scores are {score[0]:g}: nothing to calibrate.")
        if method == "temperature":
            return cls(method, temperature=_temperature(truth, score))
        knots, probabilities = _staircase(truth, score)
        return cls(method, scores=knots, probabilities=probabilities)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Calibration":
        """Build the map from the output of `to_json`.

        Raises:
            ModelError: the method is unknown, or a value is missing or out of range.
        """
        try:
            if stored["method"] == "temperature":
                calibration = cls("temperature", temperature=float(stored["temperature"]))
                valid = calibration.temperature > 0
            else:
                knots = (tuple(map(float, stored[name])) for name in ("scores", "probabilities"))
                calibration = cls(METHODS[METHODS.index(stored["method"])], 1.0, *knots)
                valid = _rising(calibration.scores) and _rising(calibration.probabilities)
                valid &= len(calibration.scores) == len(calibration.probabilities)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"Cannot read the calibration in the recipe: {error!r}. {FIX}") from None
        if not valid:
            raise ModelError(f"The calibration in the recipe is not a rising map. {FIX}")
        return calibration

    def to_json(self) -> dict[str, Any]:
        """The method and its parameters."""
        if self.method == "temperature":
            return {"method": self.method, "temperature": self.temperature}
        return {"method": self.method, "scores": list(self.scores), "probabilities": list(self.probabilities)}

    def apply(self, scores: ArrayLike) -> Floats:
        """Map scores in [0, 1], of any shape, to probabilities, float64 of the same shape."""
        score = np.asarray(scores, dtype="float64")
        if self.method == "temperature":
            mapped = _sigmoid(logit(score) / self.temperature)
        else:
            mapped = np.interp(score, self.scores, self.probabilities)
        return np.asarray((1 - TILT) * mapped + TILT * score)

    def note(self) -> str | None:
        """A warning about the fitted map, if any."""
        if self.method != "temperature" or min(abs(np.log(self.temperature / np.array(TEMPERATURES)))) > 0.01:
            return None
        why = ("scores are nearly equal", "scores hardly separate the classes")[int(self.temperature > 1)]
        return f"The temperature {self.temperature:.3g} is at the end of its range: {why}."


def cross_validated(table: "pd.DataFrame", method: str, folds: int, seed: int) -> "pd.DataFrame":
    """Calibrate each frame by a map fitted without its group.

    Args:
        table: one row per frame, with the columns dataset, group, label and score.
        method: one of `METHODS`.
        folds: number of parts of the groups.
        seed: of the division.

    Returns:
        The table with calibrated scores.

    Raises:
        ManifestError: there are fewer groups than folds, or the rest of a fold has one class only.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    units = table.groupby(["dataset", "group"], observed=True, sort=False).ngroup().to_numpy()
    if units.max() + 1 < folds:
        raise ManifestError(f"--folds {folds} needs at least {folds} groups; the list has {units.max() + 1}.")
    labels, scores = table["label"].to_numpy(), table["score"].to_numpy()
    mapped = scores.copy()
    for rest, part in StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(labels, labels, units):
        if not len(part):  # a fold may be empty if there are few groups
            continue
        try:
            fitted = Calibration.fit(labels[rest], scores[rest], method)
        except ManifestError as error:
            raise ManifestError(f"--folds {folds}: without one of the folds, {error} Use fewer folds.") from None
        mapped[part] = fitted.apply(scores[part])
    return table.assign(score=np.clip(mapped, 0, 1))


FIX = "Run deepfake calibrate again, or deepfake evaluate --no-calibration."


def rising(stored: dict[str, Any]) -> dict[str, Any]:
    """Check a stored map, as a validator of pydantic: a fault is a `ValueError`."""
    try:
        Calibration.from_json(stored)
    except ModelError as error:
        raise ValueError(str(error).rstrip(".")) from None
    return stored


def _temperature(truth: Codes, score: Floats) -> float:
    """The temperature of lowest cross-entropy, with Platt's (1999) targets, so that perfect lists do not give 0."""
    from scipy.optimize import minimize_scalar

    low, high = _ends(truth)
    target, place = np.where(truth == 1, high, low), logit(score)

    def loss(log: float) -> float:
        cooled = place / np.exp(log)
        return float(np.mean(np.logaddexp(0, cooled) - target * cooled))

    return float(np.exp(minimize_scalar(loss, bounds=np.log(TEMPERATURES).tolist(), method="bounded").x))


def _staircase(truth: Codes, score: Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The knots of the isotonic regression, bounded by Platt's (1999) targets."""
    from sklearn.isotonic import IsotonicRegression

    low, high = _ends(truth)
    fitted = IsotonicRegression(y_min=low, y_max=high, out_of_bounds="clip").fit(score, truth)
    return tuple(fitted.X_thresholds_.astype(float).tolist()), tuple(fitted.y_thresholds_.astype(float).tolist())


def _ends(truth: Codes) -> tuple[float, float]:
    """Platt's targets: the most extreme probabilities for this many reals and fakes (Probabilistic outputs for SVMs, 1999)."""
    fakes, reals = float(truth.sum()), float((1 - truth).sum())
    return 1 / (reals + 2), (fakes + 1) / (fakes + 2)


def _sigmoid(place: Floats) -> Floats:
    return np.exp(-np.logaddexp(0, -place))


def _rising(values: tuple[float, ...]) -> bool:
    return bool(values) and bool(np.all(np.diff(values) >= 0)) and min(values) >= 0 and max(values) <= 1

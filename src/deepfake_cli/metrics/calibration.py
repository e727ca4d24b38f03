"""A map from a detector's scores to probabilities that can be taken at their word, fitted on validation.

Training on balanced batches, with cross-entropy until it is near 0, leaves scores too close to 0 and 1. A monotone map mends
that without a change in how frames rank: *temperature* divides the logit by one number (Guo et al., On Calibration of
Modern Neural Networks, ICML 2017), *isotonic* is the best rising staircase (Zadrozny and Elkan, Transforming Classifier Scores
into Accurate Multiclass Probability Estimates, KDD 2002). The map holds for data like the list's, with its share of fakes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deepfake_cli.errors import ManifestError, ModelError
from deepfake_cli.metrics.pooling import Codes, Floats

EDGE = 1e-7  # float32's last step below 1: what is nearer to 0 or 1 than this has no finite logit
TEMPERATURES = (0.05, 20.0)  # searched
TILT = 1e-4  # share of the score in what it is mapped to: where the map is flat, ranks and decisions stay as they were
METHODS = ("temperature", "isotonic")


@dataclass(frozen=True)
class Calibration:
    """A rising map from scores to probabilities, both in [0, 1].

    Attributes:
        method: one of `METHODS`.
        temperature: of the method of that name: what logits are divided by; above 1 it makes less certain.
        scores: of isotonic: the knots, rising, between which the map is straight.
        probabilities: what it is there.
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
            scores: shape (n,), how fake each row is, in [0, 1].
            method: one of `METHODS`.

        Raises:
            ManifestError: labels or scores are out of range, do not pair up, hold one class only, or all scores are equal.
        """
        from deepfake_cli.metrics.checked import checked  # with pandas, which applying a map does without

        truth, score = checked(labels, scores)
        if np.ptp(score) == 0:
            raise ManifestError(f"All {len(score):,} scores are {score[0]:g}: there is nothing to calibrate.")
        if method == "temperature":
            return cls(method, temperature=_temperature(truth, score))
        knots, probabilities = _staircase(truth, score)
        return cls(method, scores=knots, probabilities=probabilities)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Calibration":
        """Read what `to_json` gave.

        Raises:
            ModelError: it is of no method that this version knows, or a part is missing or out of range.
        """
        try:
            if stored["method"] == "temperature":
                found = cls("temperature", temperature=float(stored["temperature"]))
                sound = found.temperature > 0
            else:
                knots = (tuple(map(float, stored[name])) for name in ("scores", "probabilities"))
                found = cls(METHODS[METHODS.index(stored["method"])], 1.0, *knots)
                sound = _rising(found.scores) and _rising(found.probabilities)
                sound &= len(found.scores) == len(found.probabilities)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"The recipe's calibration can't be read: {error!r}. {AGAIN}") from None
        if not sound:
            raise ModelError(f"The recipe's calibration is no rising map. {AGAIN}")
        return found

    def to_json(self) -> dict[str, Any]:
        """The method and its parameters."""
        if self.method == "temperature":
            return {"method": self.method, "temperature": self.temperature}
        return {"method": self.method, "scores": list(self.scores), "probabilities": list(self.probabilities)}

    def apply(self, scores: ArrayLike) -> Floats:
        """Map scores of any shape, in [0, 1], to probabilities, float64 of the same shape."""
        score = np.asarray(scores, dtype="float64")
        if self.method == "temperature":
            mapped = _sigmoid(_logit(score) / self.temperature)
        else:
            mapped = np.interp(score, self.scores, self.probabilities)
        return np.asarray((1 - TILT) * mapped + TILT * score)

    def note(self) -> str | None:
        """What a reader of the map should know, if anything."""
        if self.method != "temperature" or min(abs(np.log(self.temperature / np.array(TEMPERATURES)))) > 0.01:
            return None
        why = ("the scores are all but equal", "the scores say next to nothing")[int(self.temperature > 1)]
        return f"The temperature, {self.temperature:.3g}, is the end of those searched: {why}."


AGAIN = "deepfake calibrate writes it anew; deepfake evaluate --no-calibration leaves it out."


def _temperature(truth: Codes, score: Floats) -> float:
    """The temperature of least cross-entropy, with Platt's (1999) targets: a list without an error must not ask for 0."""
    from scipy.optimize import minimize_scalar

    low, high = _ends(truth)
    target, logit = np.where(truth == 1, high, low), _logit(score)

    def loss(log: float) -> float:
        cooled = logit / np.exp(log)
        return float(np.mean(np.logaddexp(0, cooled) - target * cooled))

    return float(np.exp(minimize_scalar(loss, bounds=np.log(TEMPERATURES).tolist(), method="bounded").x))


def _staircase(truth: Codes, score: Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The knots of the isotonic regression, no surer than Platt's (1999) targets."""
    from sklearn.isotonic import IsotonicRegression

    low, high = _ends(truth)
    fitted = IsotonicRegression(y_min=low, y_max=high, out_of_bounds="clip").fit(score, truth)
    return tuple(fitted.X_thresholds_.astype(float).tolist()), tuple(fitted.y_thresholds_.astype(float).tolist())


def _ends(truth: Codes) -> tuple[float, float]:
    """Platt's targets: what so many reals and fakes let one claim, at most (Probabilistic outputs for SVMs, 1999)."""
    fakes, reals = float(truth.sum()), float((1 - truth).sum())
    return 1 / (reals + 2), (fakes + 1) / (fakes + 2)


def _logit(score: Floats) -> Floats:
    sure = np.clip(score, EDGE, 1 - EDGE)
    return np.log(sure) - np.log1p(-sure)


def _sigmoid(logit: Floats) -> Floats:
    return np.exp(-np.logaddexp(0, -logit))


def _rising(values: tuple[float, ...]) -> bool:
    return bool(values) and bool(np.all(np.diff(values) >= 0)) and min(values) >= 0 and max(values) <= 1

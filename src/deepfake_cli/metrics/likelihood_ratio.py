"""The likelihood ratio of a video's score: how much it supports that the video is fake, against that it is real.

It says nothing of how probable either is: that needs what else is known of the case, which a detector does not know.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from deepfake_cli.errors import ModelError
from deepfake_cli.metrics.pooling import Floats

EDGE = 1e-7  # about one float32 step below 1; scores closer to 0 or 1 have no finite logit
MOST_KNOTS = 1001
LARGEST = 12.0  # of a log10 ratio, in a file
METHODS = ("logistic", "kde")


class Ratio(NamedTuple):
    """A likelihood ratio with its 95 % interval, as log10: above 0 it supports fake, below 0 real."""

    log10: float
    low: float
    high: float


@dataclass(frozen=True)
class LikelihoodRatio:
    """A map from the score of a video to log10 of its likelihood ratio, linear between knots and constant beyond them.

    So nothing is extrapolated: a score beyond those that the map was fitted on has the ratio of the most extreme of them.

    Attributes:
        method: how it was fitted, one of `METHODS`.
        logits: knots, rising: natural logarithm of the odds of a score.
        log10: values at the knots.
        low: lower ends of the 95 % intervals there.
        high: upper ends.
    """

    method: str
    logits: tuple[float, ...]
    log10: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "LikelihoodRatio":
        """Build the map from the output of `to_json`.

        Raises:
            ModelError: the method is unknown, or a value is missing or out of range.
        """
        try:
            curves = [tuple(map(float, stored[name])) for name in ("logits", "log10", "low", "high")]
            made = cls(METHODS[METHODS.index(stored["method"])], *curves)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"Cannot read the likelihood ratio of the detector: {error!r}. {FIX}") from None
        if not made._valid:
            raise ModelError(f"The likelihood ratio of the detector is no map from scores. {FIX}")
        return made

    def to_json(self) -> dict[str, Any]:
        """The method, the knots and their values."""
        names = ("logits", "log10", "low", "high")
        return {"method": self.method} | {name: [round(value, 6) for value in getattr(self, name)] for name in names}

    def apply(self, scores: ArrayLike) -> Floats:
        """Map scores of videos in [0, 1], of any shape, to log10 likelihood ratios, float64 of the same shape."""
        return np.asarray(np.interp(logit(scores), self.logits, self.log10))

    def of(self, score: float) -> Ratio:
        """The ratio of one score in [0, 1], with its interval."""
        place = logit(score)
        return Ratio(*(float(np.interp(place, self.logits, curve)) for curve in (self.log10, self.low, self.high)))

    @property
    def _valid(self) -> bool:
        curves = np.array([self.log10, self.low, self.high]) if len({*map(len, self._curves)}) == 1 else np.empty(0)
        return bool(
            2 <= len(self.logits) <= MOST_KNOTS
            and curves.size
            and (np.diff(self.logits) > 0).all()
            and np.abs(curves).max() <= LARGEST
            and (curves[1] <= curves[0]).all()
            and (curves[0] <= curves[2]).all()
        )

    @property
    def _curves(self) -> tuple[tuple[float, ...], ...]:
        return self.logits, self.log10, self.low, self.high


FIX = "Run deepfake calibrate --method lr again."


def valid(stored: dict[str, Any]) -> dict[str, Any]:
    """Check a stored map, as a validator of pydantic: a fault is a `ValueError`."""
    try:
        LikelihoodRatio.from_json(stored)
    except ModelError as error:
        raise ValueError(str(error).rstrip(".")) from None
    return stored


def logit(scores: ArrayLike) -> Floats:
    """Natural logarithm of the odds of scores in [0, 1]; float64 of the same shape, finite."""
    sure = np.clip(np.asarray(scores, dtype="float64"), EDGE, 1 - EDGE)
    return np.log(sure) - np.log1p(-sure)

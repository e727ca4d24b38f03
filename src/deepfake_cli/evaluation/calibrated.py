"""What the calibration in a snapshot's recipe makes of an evaluation's scores and threshold."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepfake_cli.config import Evaluate
from deepfake_cli.metrics.calibration import Calibration
from deepfake_cli.runs import recipe


@dataclass(frozen=True)
class Calibrated:
    """A calibration to apply, if there is one and it is wanted.

    Attributes:
        map: the calibration; None: scores stay as they are.
        carries: whether the threshold, which was chosen on scores as they are, goes through the map too.
    """

    map: Calibration | None = None
    carries: bool = False

    @classmethod
    def of(cls, settings: Evaluate, snapshot: Path) -> "Calibrated":
        """The one in the recipe. A threshold of the user's, or 0.5 where there is none, is one of probabilities.

        Raises:
            ModelError: the recipe's calibration can't be read.
        """
        stored = recipe.calibration_of(snapshot) if settings.calibration else None
        if stored is None:
            return cls()
        chosen = settings.threshold is None and recipe.threshold_of(snapshot) is not None
        return cls(Calibration.from_json(stored), chosen)

    def scores(self, scores: Any) -> Any:
        """The frames' scores, float64 (frames,), mapped."""
        return self.map.apply(scores) if self.map else scores

    def threshold(self, threshold: float) -> float:
        """The threshold, mapped if it was chosen on scores as they are: the same frames are called fake."""
        return float(self.map.apply([threshold])[0]) if self.map and self.carries else threshold

    def to_json(self) -> dict[str, Any] | None:
        """The method and its parameters; None if nothing was mapped."""
        return self.map.to_json() if self.map else None

"""Apply the calibration of a recipe to scores and threshold."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepfake_cli.metrics.calibration import Calibration
from deepfake_cli.runs import recipe


@dataclass(frozen=True)
class Calibrated:
    """The calibration of an evaluation, if any.

    Attributes:
        map: the calibration; None leaves scores unchanged.
        maps_threshold: whether the threshold was chosen on uncalibrated scores, and is mapped too.
    """

    map: Calibration | None = None
    maps_threshold: bool = False

    @classmethod
    def of(cls, snapshot: Path, *, calibrate: bool, threshold: float | None) -> "Calibrated":
        """Load the calibration in the recipe of a snapshot.

        Args:
            snapshot: path of the model.
            calibrate: False for no calibration.
            threshold: set by the user, so one of probabilities; None for the one in the recipe. The default, 0.5, is one of
                probabilities too.

        Raises:
            ModelError: the calibration in the recipe is unreadable.
        """
        stored = recipe.calibration_of(snapshot) if calibrate else None
        if stored is None:
            return cls()
        chosen = threshold is None and recipe.threshold_of(snapshot) is not None
        return cls(Calibration.from_json(stored), chosen)

    def scores(self, scores: Any) -> Any:
        """Map the scores of frames, float64 (frames,)."""
        return self.map.apply(scores) if self.map else scores

    def threshold(self, threshold: float) -> float:
        """Map the threshold if it was chosen on uncalibrated scores: the same frames are predicted fake."""
        return float(self.map.apply([threshold])[0]) if self.map and self.maps_threshold else threshold

    def to_json(self) -> dict[str, Any] | None:
        """The method and its parameters; None without calibration."""
        return self.map.to_json() if self.map else None

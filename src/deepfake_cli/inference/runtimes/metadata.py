"""What an exported detector says of itself, inside its own file."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from deepfake_cli.errors import ModelError

KEY = "deepfake"  # of the metadata in an .onnx file; the name of the entry in the archive behind a .tflite one


@dataclass(frozen=True)
class Traits:
    """What has to be known to use a detector as it was trained.

    Attributes:
        model: its architecture.
        image_size: side of the crops that it takes, in pixels.
        margin: side of a crop, in longer sides of the face's box.
        threshold: calibrated scores from here on are called fake, in 0..1.
        real_below: scores below are called real; those between it and `threshold` are inconclusive. None: `threshold`.
        photo_threshold: in place of `threshold` for a single image, which says less than a video. None: `threshold`.
        pool: how the scores of a video's frames become one.
        calibration: turns its scores into probabilities; see `deepfake_cli.metrics.calibration`. None if it was not calibrated.
        recipe: how it was trained: settings, versions, hashes of the lists.
        measured: its error rates on real deepfakes; see `rates`. None if nobody measured them.
    """

    model: str
    image_size: int
    margin: float = 1.3
    threshold: float = 0.5
    real_below: float | None = None
    photo_threshold: float | None = None
    pool: str = "mean"
    calibration: dict[str, Any] | None = None
    recipe: dict[str, Any] = field(default_factory=dict)
    measured: dict[str, Any] | None = None

    @property
    def rates(self) -> str:
        """The error rates that were measured, in a sentence; empty if nobody measured them."""
        if not self.measured:
            return ""
        real, fake = (
            {call: round(100 * share) for call, share in self.measured[label].items()} for label in ("real", "fake")
        )
        return (
            f"Measured on {self.measured['on']}: of 100 real clips {real['fake']} were called fake and "
            f"{real['undecided']} undecided; of 100 fakes {fake['real']} were called real and {fake['undecided']} undecided."
        )

    @property
    def text(self) -> str:
        """JSON that `parse` reads."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def parse(cls, text: str | None, path: object) -> "Traits":
        """Read what an exported file says; keys of a later version of this package are passed over.

        Raises:
            ModelError: it says nothing, or no such thing.
        """
        try:
            found = json.loads(text or "")
            return cls(**{each.name: found[each.name] for each in fields(cls) if each.name in found})
        except (ValueError, TypeError):
            raise ModelError(
                f"{path} does not say how it is to be used: it was not made by deepfake export. Export the snapshot again."
            ) from None

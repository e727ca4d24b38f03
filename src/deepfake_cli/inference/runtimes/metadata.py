"""Metadata inside an exported detector."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from deepfake_cli.errors import ModelError

KEY = "deepfake"  # metadata key in an .onnx file; file name in the archive appended to a .tflite file


@dataclass(frozen=True)
class Traits:
    """How to use a detector as it was trained.

    Attributes:
        model: its architecture.
        image_size: input size, in pixels.
        margin: side of a crop, relative to the longer side of the face box.
        threshold: calibrated scores at or above this, in 0..1, are fake.
        real_below: scores below this are real; scores between it and `threshold` are inconclusive. None: `threshold`.
        photo_threshold: replaces `threshold` for a single image. None: `threshold`.
        pool: how frame scores become a video score.
        calibration: maps scores to probabilities, see `deepfake_cli.metrics.calibration`; None if uncalibrated.
        recipe: how it was trained: settings, versions, hashes of the lists.
        measured: error rates on real deepfakes, see `rates`; None if not measured.
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
        """The measured error rates, as text; empty if not measured."""
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
        """The metadata as JSON, for `parse`."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def parse(cls, text: str | None, path: object) -> "Traits":
        """Parse the metadata of an exported file; unknown keys, from later versions of this package, are ignored.

        Raises:
            ModelError: there are no metadata, or they are invalid.
        """
        try:
            values = json.loads(text or "")
            return cls(**{key.name: values[key.name] for key in fields(cls) if key.name in values})
        except (ValueError, TypeError):
            raise ModelError(
                f"{path} has no valid metadata: it was not written by deepfake export. Export the snapshot again."
            ) from None

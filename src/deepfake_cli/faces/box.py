"""Bounding box of a face."""

from collections.abc import Sequence
from operator import mul
from typing import NamedTuple

from deepfake_cli.errors import ManifestError

Eyes = tuple[float, float, float, float]


class Box(NamedTuple):
    """Bounding box of a face, in pixels; it may extend beyond the image.

    Attributes:
        x0: left.
        y0: top.
        x1: right.
        y1: bottom.
        score: score of the face detector, in 0..1; 0 for a box interpolated over a gap.
        eyes: x and y of the person's right eye (on the left of an upright image), then of the left eye, in pixels;
            None if unknown.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    score: float = 1.0
    eyes: Eyes | None = None

    @classmethod
    def parse(cls, text: str) -> "Box":
        """Parse the column ``box`` of a manifest; see `text`.

        Raises:
            ManifestError: the text is not 4 or 8 numbers.
        """
        try:
            x0, y0, x1, y1, *eyes = map(float, text.split())
            return cls(x0, y0, x1, y1, eyes=(eyes[0], eyes[1], eyes[2], eyes[3]) if eyes else None)
        except (ValueError, IndexError):
            raise ManifestError(
                f"box {text!r}: expected x0 y0 x1 y1, optionally with four numbers for the eyes"
            ) from None

    @property
    def text(self) -> str:
        """``x0 y0 x1 y1`` and the eyes, if known, rounded to 0.1 pixels: the column ``box`` of a manifest."""
        return " ".join(f"{value:.1f}" for value in (*self[:4], *(self.eyes or ())))

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return max(0.0, self.x1 - self.x0) * max(0.0, self.y1 - self.y0)

    def overlap(self, other: "Box") -> float:
        """Intersection over union with `other`, in 0..1."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        if width <= 0 or height <= 0:
            return 0.0
        shared = width * height
        return shared / (self.area + other.area - shared)

    def rounded(self) -> "Box":
        """The box rounded as in a manifest, so that a crop from the manifest is identical."""
        return Box.parse(self.text)._replace(score=self.score)


def mean(boxes: Sequence[Box], weights: Sequence[float]) -> Box:
    """The weighted mean of boxes, scores and, if all boxes have them, eyes; the weights must sum to 1."""
    x0, y0, x1, y1, score = (_mean(values, weights) for values in zip(*[box[:5] for box in boxes], strict=True))
    eyes = [box.eyes for box in boxes if box.eyes]
    if len(eyes) < len(boxes):
        return Box(x0, y0, x1, y1, score)
    right_x, right_y, left_x, left_y = (_mean(values, weights) for values in zip(*eyes, strict=True))
    return Box(x0, y0, x1, y1, score, (right_x, right_y, left_x, left_y))


def _mean(values: Sequence[float], weights: Sequence[float]) -> float:
    return float(sum(map(mul, values, weights)))

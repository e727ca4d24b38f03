"""Verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from deepfake_cli.inference.timeline import Timeline
from deepfake_cli.storage.remote import url

Call = Literal["fake", "real", "undecided"]


@dataclass
class FaceResult:
    """Result for one face.

    Attributes:
        timeline: its frames.
        score: pooled score in 0..1, high for fake; None if no frame could be judged.
        low: lower end of the 95 % interval over frames; None for few frames.
        high: upper end.
    """

    timeline: Timeline
    score: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass
class Verdict:
    """Verdict on a file.

    Attributes:
        path: the file.
        label: ``"fake"``, ``"real"`` or ``"undecided"``.
        reason: why it is undecided; empty if it is not.
        threshold: scores at or above this are fake.
        real_below: scores below this are real; scores in between are inconclusive, so the file is undecided.
        calibrated: whether scores are probabilities.
        frames: number of frames read.
        fps: frames per second of the source, on average; 0 if it has none.
        times: timestamp of each frame of the source, in seconds, by frame index; empty for images.
        faces: the faces; the first one decides the verdict.
        left_out: counts of frames and faces that were not judged, by reason.
        notes: warnings.
        seconds: run time.
    """

    path: Path
    label: Call = "undecided"
    reason: str = ""
    threshold: float = 0.5
    real_below: float = 0.5
    calibrated: bool = False
    frames: int = 0
    fps: float = 0.0
    times: Sequence[float] = ()
    faces: list[FaceResult] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def score(self) -> float | None:
        """Score of the deciding face, in 0..1; None if no face could be judged."""
        return self.faces[0].score if self.faces else None

    @property
    def probability(self) -> float | None:
        """The score, if it is calibrated, as probability of fake; else None."""
        return self.score if self.calibrated else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of the score over frames; None for few frames."""
        face = self.faces[0] if self.faces else None
        return (face.low, face.high) if face and face.low is not None and face.high is not None else None

    def time(self, frame: int) -> float | None:
        """Timestamp of a frame, in seconds from the start; None if the source has none."""
        return self.times[frame] if self.times else None

    def facts(self) -> dict[str, Any]:
        """The verdict as a JSON object; scores are rounded to four digits, times are in seconds."""
        low, high = self.interval or (None, None)
        return {
            "path": url(self.path),
            "verdict": self.label,
            "reason": self.reason,
            "score": _short(self.score),
            "probability": _short(self.probability),
            "low": _short(low),
            "high": _short(high),
            "threshold": self.threshold,
            "real_below": self.real_below,
            "frames": self.frames,
            "fps": self.fps,
            "left_out": self.left_out,
            "notes": self.notes,
            "seconds": round(self.seconds, 3),
            "faces": [self._face(face) for face in self.faces],
        }

    def _face(self, face: FaceResult) -> dict[str, Any]:
        timeline = face.timeline
        return {
            "score": _short(face.score),
            "low": _short(face.low),
            "high": _short(face.high),
            "frames": timeline.frames.tolist(),
            "scores": [None if np.isnan(score) else round(score, 4) for score in timeline.scores.tolist()],
            "times": [round(self.times[frame], 3) for frame in timeline.frames.tolist()] if self.times else None,
        }


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 4)

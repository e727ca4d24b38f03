"""Verdicts: the results of judging files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from deepfake_cli.inference.condition import Condition
from deepfake_cli.inference.error_rates import Errors
from deepfake_cli.inference.record import Record
from deepfake_cli.inference.save import save_verdicts
from deepfake_cli.inference.support import Support
from deepfake_cli.inference.tables import VERDICT_COLUMNS, html_table, row
from deepfake_cli.inference.timeline import Timeline
from deepfake_cli.installation import explained
from deepfake_cli.storage.urls import url

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

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


@dataclass(repr=False)
class Verdict:
    """Verdict on a file or on frames in memory.

    Attributes:
        path: the file; for what is in no file, its kind: ``image``, ``frames``, ``webcam 0``.
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
        condition: what the file and the deciding face are like; None if there is no face.
        support: how much the score supports fake against real; None if the detector has no likelihood ratios.
        errors: how often the detector errs on files like this one; None if it was not measured.
        record: what was examined, by what, when, and where the file says it came from; see `deepfake_cli.inference.record`.
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
    condition: Condition | None = None
    support: Support | None = None
    errors: Errors | None = None
    record: Record | None = None

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

    def __repr__(self) -> str:
        interval = f" ({self.interval[0]:.2f}–{self.interval[1]:.2f})" if self.interval else ""
        score = "" if self.score is None else f" {self.score:.2f}{interval}"
        return f"<Verdict {self.label}{score}: {url(self.path)}{f'; {self.reason}' if self.reason else ''}>"

    def _repr_html_(self) -> str:
        return html_table([self])

    def to_dict(self) -> dict[str, Any]:
        """The verdict as plain values, the same as in ``deepfake predict --json``."""
        return self.facts()

    @explained("Verdict.to_df")
    def to_df(self) -> "pd.DataFrame":
        """The scores as a table with a row per face and frame.

        Returns:
            The columns path, face (0 decides), frame, time (seconds; NaN without), score (0..1; NaN if not judged), and x0, y0,
            x1, y1 of the box, in pixels.
        """
        import pandas as pd

        names = ("path", "face", "frame", "time", "score", "x0", "y0", "x1", "y1")
        rows = [
            (url(self.path), number, moment.frame, self.time(moment.frame), moment.score, *moment.box[:4])
            for number, face in enumerate(self.faces)
            for moment in map(face.timeline.__getitem__, range(len(face.timeline)))
        ]
        return pd.DataFrame(rows, columns=list(names)).astype({"time": "float64", "score": "float64"})

    @explained("Verdict.plot")
    def plot(self) -> "Figure":
        """Plot the score of each frame, with the thresholds; returns a matplotlib figure, which notebooks show."""
        from deepfake_cli.inference.plot import plot

        return plot(self)

    def save(self, path: str | Path) -> Path:
        """Save as the suffix of `path` says: .json (`to_dict`), .csv (`to_df`), or .png, .svg, .pdf (`plot`).

        Returns:
            The file, written whole or not at all.

        Raises:
            ConfigError: another suffix.
        """
        return save_verdicts(self, path)

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
            "condition": self.condition.facts() if self.condition else None,
            "likelihood_ratio": self.support.facts() if self.support else None,
            "error_rates": self.errors.facts() if self.errors else None,
            "faces": [self._face(face) for face in self.faces],
            "record": self.record and self.record.model_dump(mode="json", exclude_none=True),
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


class Verdicts(list[Verdict]):
    """Several verdicts: a list, with `to_dict`, `to_df` and `save`."""

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {label}" for label, count in self.counts.items() if count)
        shown = "".join(f"\n  {verdict!r}" for verdict in self[:SHOWN])
        more = f"\n  … {len(self) - SHOWN:,} more" if len(self) > SHOWN else ""
        return f"<{len(self):,} verdicts: {counts or 'none'}>{shown}{more}"

    def _repr_html_(self) -> str:
        return html_table(self)

    @property
    def counts(self) -> dict[Call, int]:
        """Number of verdicts by label."""
        labels = [verdict.label for verdict in self]
        calls: tuple[Call, ...] = ("fake", "real", "undecided")
        return {call: labels.count(call) for call in calls}

    def to_dict(self) -> list[dict[str, Any]]:
        """The verdicts as plain values, in order."""
        return [verdict.to_dict() for verdict in self]

    @explained("Verdicts.to_df")
    def to_df(self) -> "pd.DataFrame":
        """The verdicts as a table with a row per file; the columns are those of ``deepfake predict --csv``."""
        import pandas as pd

        return pd.DataFrame([row(verdict) for verdict in self], columns=[*VERDICT_COLUMNS])

    def save(self, path: str | Path) -> Path:
        """Save as the suffix of `path` says: .json (`to_dict`) or .csv (`to_df`).

        Returns:
            The file, written whole or not at all.

        Raises:
            ConfigError: another suffix.
        """
        return save_verdicts(self, path)


SHOWN = 10  # verdicts in the text of a list


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 4)

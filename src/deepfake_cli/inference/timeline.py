"""Scores and boxes of one face over time, stored compactly for long videos."""

from array import array
from collections import Counter
from typing import NamedTuple

import numpy as np

from deepfake_cli.faces.box import Box
from deepfake_cli.inference.faces import Face

UNFIT = float("nan")


class Moment(NamedTuple):
    """A face in a frame: frame index, score in 0..1 (NaN if not judged) and box."""

    frame: int
    score: float
    box: Box


class Timeline:
    """All frames of one face."""

    def __init__(self, track: int):
        self.track = track
        self.faults: Counter[str] = Counter()  # reasons of frames that could not be judged
        self.area = 0.0
        self._frames, self._scores, self._boxes = array("q"), array("d"), array("f")
        self._sharpness, self._light = array("f"), array("f")

    def add(self, face: Face, score: float = UNFIT) -> None:
        """Append a frame; frames must be added in order."""
        self._frames.append(face.frame)
        self._scores.append(score)
        self._boxes.extend(face.box[:4])
        self._sharpness.append(face.sharpness)
        self._light.append(face.light)
        self.area += face.box.area
        if face.fault:
            self.faults[face.fault] += 1

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> Moment:
        x0, y0, x1, y1 = self._boxes[4 * index : 4 * index + 4]
        return Moment(self._frames[index], self._scores[index], Box(x0, y0, x1, y1))

    @property
    def frames(self) -> np.ndarray:
        """Frame indices in the source, int64 (frames,)."""
        return np.array(self._frames)

    @property
    def scores(self) -> np.ndarray:
        """Score of each frame, float64 (frames,); NaN if not judged."""
        return np.array(self._scores)

    @property
    def judged(self) -> np.ndarray:
        """Scores of the judged frames, float64 (frames judged,)."""
        scores = self.scores
        return scores[~np.isnan(scores)]

    @property
    def sides(self) -> np.ndarray:
        """Longer side of the box of each frame, in pixels, float32 (frames,)."""
        boxes = np.array(self._boxes, dtype=np.float32).reshape(-1, 4)
        return (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0)

    @property
    def largest(self) -> float:
        """Longer side of the largest box, in pixels."""
        return float(self.sides.max(initial=0))

    @property
    def sharpness(self) -> np.ndarray:
        """Sharpness of each frame, see `deepfake_cli.inference.faces.sharpness`, float32 (frames,)."""
        return np.array(self._sharpness)

    @property
    def light(self) -> np.ndarray:
        """Mean grey level of the face in each frame, in 0..255, float32 (frames,)."""
        return np.array(self._light)

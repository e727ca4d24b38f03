"""The scores of one face through a file, held in a few bytes a frame, so that two hours fit as well as a minute."""

from array import array
from collections import Counter
from typing import NamedTuple

import numpy as np

from deepfake_cli.faces.box import Box
from deepfake_cli.inference.faces import Face

UNFIT = float("nan")


class Moment(NamedTuple):
    """A face in a frame: its index, its score in 0..1 (NaN where it could not be judged), and its box."""

    frame: int
    score: float
    box: Box


class Timeline:
    """The frames of one face."""

    def __init__(self, track: int):
        self.track = track
        self.faults: Counter[str] = Counter()  # of the faces that could not be judged
        self.area = 0.0
        self._frames, self._scores, self._boxes = array("q"), array("d"), array("f")

    def add(self, face: Face, score: float = UNFIT) -> None:
        """Add a frame, in order."""
        self._frames.append(face.frame)
        self._scores.append(score)
        self._boxes.extend(face.box[:4])
        self.area += face.box.area
        if face.fault:
            self.faults[face.fault] += 1

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, place: int) -> Moment:
        x0, y0, x1, y1 = self._boxes[4 * place : 4 * place + 4]
        return Moment(self._frames[place], self._scores[place], Box(x0, y0, x1, y1))

    @property
    def frames(self) -> np.ndarray:
        """Indices in the source, int64 (frames,)."""
        return np.array(self._frames)

    @property
    def scores(self) -> np.ndarray:
        """Probability of fake of each frame, float64 (frames,); NaN where it could not be judged."""
        return np.array(self._scores)

    @property
    def judged(self) -> np.ndarray:
        """The scores that are numbers, float64 (frames judged,)."""
        scores = self.scores
        return scores[~np.isnan(scores)]

    @property
    def largest(self) -> float:
        """Longer side of the largest box, in pixels."""
        boxes = np.array(self._boxes).reshape(-1, 4)
        return float((boxes[:, 2:] - boxes[:, :2]).max()) if len(boxes) else 0.0

"""The library in one class: a detector that judges files."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from deepfake_cli import runtime as runtimes
from deepfake_cli.calibration import Calibration
from deepfake_cli.faces import find_detector
from deepfake_cli.samples import STARTER
from deepfake_cli.verdict.judge import How, judge
from deepfake_cli.verdict.result import Verdict


class Detector:
    """A detector of face deepfakes, ready to judge videos and images; it never loads TensorFlow.

    >>> from deepfake_cli import Detector
    >>> from deepfake_cli.samples import CLIPS, FOLDER
    >>> verdict = Detector.load().predict(FOLDER / CLIPS[0][0], max_frames=20)
    >>> verdict.verdict
    'real'
    >>> 0 <= verdict.probability < verdict.threshold
    True

    Attributes:
        traits: what the detector says of itself.
        threshold: probabilities from here on are called fake.
    """

    def __init__(self, network: runtimes.Network, *, threshold: float | None = None, min_score: float = 0.7):
        self.traits = network.traits
        self.threshold = self.traits.threshold if threshold is None else threshold
        self.network = network
        self._calibration = Calibration.from_json(self.traits.calibration) if self.traits.calibration else None
        self._how = How(
            scores=self.scores,
            find=find_detector("rfb320")(min_score),
            size=self.traits.image_size,
            margin=self.traits.margin,
            threshold=self.threshold,
            pool=self.traits.pool,
        )

    @classmethod
    def load(
        cls,
        path: str | Path | None = None,
        *,
        runtime: str = "onnx",
        threads: int | None = None,
        threshold: float | None = None,
    ) -> "Detector":
        """Load a detector.

        Args:
            path: an ``.onnx`` file of ``deepfake export`` or ``deepfake train``; the one in this package, if None.
            runtime: ``"onnx"``, or ``"openvino"`` where that is installed.
            threads: to compute with; all cores, if None.
            threshold: probabilities from here on are called fake, in 0..1; the detector's own, if None.

        Raises:
            ModelError: the file is missing, broken, or no exported detector.
            ConfigError: the runtime is not installed.
        """
        return cls(runtimes.load(Path(path) if path else STARTER, runtime, threads), threshold=threshold)

    def scores(self, crops: np.ndarray) -> np.ndarray:
        """Calibrated probability of fake, float64 (n,), of face crops, uint8 RGB (n, size, size, 3)."""
        found = self.network.scores(crops)
        return self._calibration.apply(found) if self._calibration else found

    def predict(
        self,
        path: str | Path,
        *,
        every: int = 1,
        max_frames: int | None = None,
        faces: str = "largest",
        report: Callable[[int, int], None] = lambda done, total: None,
    ) -> Verdict:
        """Judge a video, an image or a folder of frames.

        What can't be judged (no face, unreadable, too small, too blurred) is ``"undecided"``, with the reason.

        Args:
            path: the file.
            every: judge every N-th frame.
            max_frames: judge at most so many, spread evenly; None for all.
            faces: ``"largest"`` of each frame, or ``"all"``: then the verdict is of the face that is fake most probably.
            report: called with how many of how many frames are done; 0 if nobody knows how many there are.
        """
        how = replace(self._how, every=every, max_frames=max_frames, every_face=faces == "all")
        return judge(Path(path), how, report)

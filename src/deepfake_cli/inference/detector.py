"""The library in one class: a detector that judges files."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from deepfake_cli.assets import STARTER
from deepfake_cli.faces import find_face_detector
from deepfake_cli.inference import runtimes
from deepfake_cli.inference.judge import JudgeOptions, judge
from deepfake_cli.inference.result import Verdict
from deepfake_cli.metrics.calibration import Calibration


class Detector:
    """A detector of face deepfakes, ready to judge videos and images; it never loads TensorFlow.

    >>> from deepfake_cli import Detector
    >>> from deepfake_cli.assets import CLIPS, FOLDER
    >>> verdict = Detector.load().predict(FOLDER / CLIPS[0][0], max_frames=20)
    >>> verdict.label
    'real'
    >>> 0 <= verdict.score < verdict.threshold
    True

    Attributes:
        traits: what the detector says of itself.
        threshold: scores from here on are called fake.
        real_below: scores below are called real, those between are inconclusive.
    """

    def __init__(self, network: runtimes.Network, *, threshold: float | None = None, min_score: float = 0.7):
        self.traits = network.traits
        self.threshold = self.traits.threshold if threshold is None else threshold
        own = self.traits if threshold is None else None  # who chooses a threshold has chosen it for everything
        self.real_below = own.real_below if own and own.real_below is not None else self.threshold
        photo_threshold = own.photo_threshold if own and own.photo_threshold is not None else self.threshold
        self.network = network
        self._calibration = Calibration.from_json(self.traits.calibration) if self.traits.calibration else None
        self._options = JudgeOptions(
            scores=self.scores,
            face_detector=find_face_detector("rfb320")(min_score),
            size=self.traits.image_size,
            margin=self.traits.margin,
            threshold=self.threshold,
            real_below=self.real_below,
            photo_threshold=photo_threshold,
            calibrated=self._calibration is not None,
            pool=self.traits.pool,
        )

    @property
    def thresholds(self) -> str:
        """What its scores mean, in words."""
        if self.real_below == self.threshold:
            return f"threshold {self.threshold:.3f}"
        return f"real below {self.real_below:.3f}, fake from {self.threshold:.3f}"

    @property
    def rates(self) -> str:
        """How often it erred on real deepfakes, in a sentence; empty if nobody measured it, or not at this threshold."""
        return self.traits.rates if self.threshold == self.traits.threshold else ""

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
            threshold: scores from here on are called fake, in 0..1, and all below real; the detector's own, if None.

        Raises:
            ModelError: the file is missing, broken, or no exported detector.
            ConfigError: the runtime is not installed.
        """
        return cls(runtimes.load(Path(path) if path else STARTER, runtime, threads), threshold=threshold)

    def scores(self, crops: np.ndarray) -> np.ndarray:
        """How fake face crops look, calibrated if the detector is: uint8 RGB (n, size, size, 3) to float64 (n,) in 0..1."""
        scores = self.network.scores(crops)
        return self._calibration.apply(scores) if self._calibration else scores

    def predict(
        self,
        path: str | Path,
        *,
        every: int = 1,
        max_frames: int | None = None,
        faces: str = "largest",
        crops: bool = False,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Verdict:
        """Judge a video, an image or a folder of frames.

        What can't be judged (no face, unreadable, too small, too blurred) is ``"undecided"``, with the reason.

        Args:
            path: the file.
            every: judge every N-th frame.
            max_frames: judge at most so many, spread evenly; None for all.
            faces: ``"largest"`` of each frame, or ``"all"``: then the verdict is of the face that looks most fake.
            crops: the file's images are face crops already: no face is looked for.
            progress: called with how many of how many frames are done; 0 if nobody knows how many there are.
        """
        options = replace(self._options, every=every, max_frames=max_frames, every_face=faces == "all", crops=crops)
        return judge(Path(path), options, progress)

"""The detector as a Python class."""

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
    """A deepfake detector for videos and images; runs without TensorFlow.

    Examples:
        >>> from deepfake_cli import Detector
        >>> from deepfake_cli.assets import CLIPS, FOLDER
        >>> verdict = Detector.load().predict(FOLDER / CLIPS[0][0], max_frames=20)
        >>> verdict.label
        'real'
        >>> 0 <= verdict.score < verdict.threshold
        True

    Attributes:
        traits: the metadata of the detector.
        threshold: scores at or above this are fake.
        real_below: scores below this are real; scores in between are inconclusive.
    """

    def __init__(self, network: runtimes.Network, *, threshold: float | None = None, min_score: float = 0.7):
        self.traits = network.traits
        self.threshold = self.traits.threshold if threshold is None else threshold
        own = self.traits if threshold is None else None  # a given threshold replaces all others
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
        """The thresholds, as text."""
        if self.real_below == self.threshold:
            return f"threshold {self.threshold:.3f}"
        return f"real below {self.real_below:.3f}, fake from {self.threshold:.3f}"

    @property
    def rates(self) -> str:
        """Measured error rates, as text; empty if not measured at this threshold."""
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
            path: an ``.onnx`` file from ``deepfake export`` or ``deepfake train``; None for the starter detector.
            runtime: ``"onnx"``, or ``"openvino"`` if installed.
            threads: number of threads; None for all cores.
            threshold: scores at or above this, in 0..1, are fake, all below are real; None for the detector's own.

        Raises:
            ModelError: the file is missing, damaged, or not an exported detector.
            ConfigError: the runtime is not installed.
        """
        return cls(runtimes.load(Path(path) if path else STARTER, runtime, threads), threshold=threshold)

    def scores(self, crops: np.ndarray) -> np.ndarray:
        """Score face crops, calibrated if the detector is: uint8 RGB (n, size, size, 3) to float64 (n,) in 0..1."""
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
        max_seconds: float | None = None,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Verdict:
        """Judge a video, an image or a folder of frames.

        Without a usable face (none found, unreadable, too small, too blurred) the verdict is ``"undecided"``, with a reason.

        Args:
            path: the file.
            every: judge every N-th frame.
            max_frames: maximum number of frames, evenly spaced; None for all.
            faces: ``"largest"`` of each frame, or ``"all"``; then the face with the highest score decides.
            crops: whether the images are face crops; skips face detection.
            max_seconds: time limit, in seconds; the verdict is then on the frames read so far. None for no limit.
            progress: called with the number of frames done and the total; 0 if the total is unknown.
        """
        options = replace(
            self._options,
            every=every,
            max_frames=max_frames,
            every_face=faces == "all",
            crops=crops,
            max_seconds=max_seconds,
        )
        return judge(Path(path), options, progress)

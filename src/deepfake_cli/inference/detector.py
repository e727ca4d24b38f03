"""The detector as a Python class."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from itertools import islice
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from deepfake_cli.faces import find_face_detector
from deepfake_cli.inference import runtimes
from deepfake_cli.inference.add_card import add_card
from deepfake_cli.inference.exported import exported
from deepfake_cli.inference.judge import JudgeOptions, judge
from deepfake_cli.inference.record import Examiner, shipped_sha256
from deepfake_cli.inference.result import Verdict, Verdicts
from deepfake_cli.inference.sources import sources
from deepfake_cli.media.memory import MemorySource
from deepfake_cli.media.video import FrameSampler
from deepfake_cli.metrics.calibration import Calibration
from deepfake_cli.provenance.credentials import check_trust
from deepfake_cli.storage.hashes import sha256

WEBCAM_SECONDS = 10.0  # of a webcam that `predict` judges, unless a limit is given


class Detector:
    """A deepfake detector for videos and images; runs without TensorFlow.

    Examples:
        >>> from deepfake_cli import Detector
        >>> from deepfake_cli.assets import CLIPS, FOLDER
        >>> verdict = Detector.load().predict(FOLDER / CLIPS[0][0], max_frames=20)
        >>> verdict.label
        'real'

    Attributes:
        traits: the metadata of the detector.
        threshold: scores at or above this are fake.
        real_below: scores below this are real; scores in between are inconclusive.
    """

    def __init__(
        self,
        network: runtimes.Network,
        *,
        threshold: float | None = None,
        min_score: float = 0.7,
        file: Path | None = None,
        threads: int | None = None,
        trust: Path | None = None,
    ):
        self.traits = network.traits
        self._file, self._threads, self._min_score = file, threads, min_score
        self.threshold = self.traits.threshold if threshold is None else threshold
        own = self.traits if threshold is None else None  # a given threshold replaces all others
        self.real_below = own.real_below if own and own.real_below is not None else self.threshold
        photo_threshold = own.photo_threshold if own and own.photo_threshold is not None else self.threshold
        self.network, self._own_thresholds = network, threshold is None
        self._calibration = Calibration.from_json(self.traits.calibration) if self.traits.calibration else None
        self._options = JudgeOptions(
            scores=self.scores,
            face_detector=find_face_detector("rfb320")(min_score),
            size=self.traits.image_size,
            margin=self.traits.margin,
            threshold=self.threshold,
            real_below=self.real_below,
            photo_threshold=photo_threshold,
            resize=self.traits.resize,
            calibrated=self._calibration is not None,
            pool=self.traits.pool,
            trust=trust,
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

    @property
    def terms(self) -> str:
        """What the licence of a detector of another project forbids, as text; empty if it forbids no use."""
        return self.traits.terms

    @classmethod
    def load(
        cls,
        path: str | Path | None = None,
        *,
        runtime: str = "onnx",
        threads: int | None = None,
        threshold: float | None = None,
        trust: str | Path | None = None,
    ) -> "Detector":
        """Load a detector.

        Args:
            path: ``"starter"`` or None for the starter detector in the package; the folder of a run, for its ``best.onnx``; an
                ``.onnx`` file from ``deepfake export`` or ``deepfake train``; or a ``.keras`` snapshot with its export beside it.
            runtime: ``"onnx"``, or ``"openvino"`` if installed.
            threads: number of threads; None for all cores.
            threshold: scores at or above this, in 0..1, are fake, all below are real; None for the detector's own.
            trust: certificates (PEM) of signers of Content Credentials to trust; None for none.

        Raises:
            ModelError: the file is damaged, or not an exported detector.
            FileNotFoundError: there is no such file, or no export of the run or snapshot; the message names the command for it.
            ConfigError: the runtime is not installed, or the certificates cannot be used.
        """
        trusted, file = None if trust is None else Path(trust), exported(path)
        check_trust(trusted)
        return cls(
            runtimes.load(file, runtime, threads), threshold=threshold, file=file, threads=threads, trust=trusted
        )

    @cached_property
    def examiner(self) -> Examiner:
        """The detector, for records: model, hash of its file, runtime."""
        return Examiner(
            model=self.traits.model,
            sha256=sha256(self._file) if self._file else None,
            **shipped_sha256(),
            min_face_score=self._min_score,
            runs_on=self.network.runs_on,
            threads=self._threads,
        )

    def scores(self, crops: np.ndarray) -> np.ndarray:
        """Score face crops, calibrated if the detector is: uint8 RGB (n, size, size, 3) to float64 (n,) in 0..1."""
        scores = self.network.scores(crops)
        return self._calibration.apply(scores) if self._calibration else scores

    def __repr__(self) -> str:
        return f"<Detector {self.traits.model}: {self.thresholds}>"

    def predict(self, source: Any, *, folders: str = "auto", **options: Any) -> Verdict | Verdicts:
        """Judge a file, an image, frames, or many of them.

        One thing gets a `Verdict`: a file, a URL, a folder that is a video, an array, a PIL image, an iterator of frames, a
        webcam. What may hold several gets `Verdicts`, a list, also if it holds one: a list, a pattern, another folder, an
        iterator of paths.

        Without a usable face (none found, unreadable, too small, too blurred) a verdict is ``"undecided"``, with a reason.

        Args:
            source: a path (`str` or `Path`) of a video, an image or a folder; a pattern such as ``"clips/*.mp4"``; a URL that
                fsspec can read; an image, as a NumPy array, uint8 RGB (height, width, 3) in 0..255, or from PIL; the frames of
                one video, as an array (frames, height, width, 3) or an iterator of images; the number of a webcam; or a list
                of any of these but webcams.
            folders: which folders of images are one video, and get one verdict: ``"auto"``, if they hold only images named by
                numbers (``001.png``); ``"video"``, all; ``"files"``, none.
            options: see `judge`. A webcam is judged for 10 seconds, unless `max_seconds` or `max_frames` is given.

        Raises:
            FileNotFoundError: a file does not exist, or a pattern or folder has no media; nothing is judged then.
            VideoError: frames have another shape or type, or a webcam cannot be opened.
            ConfigError: a source of this type cannot be judged.
            StorageError: a URL cannot be read.
        """
        found = sources(source, folders)
        if isinstance(source, int) and not {"max_seconds", "max_frames"} & options.keys():
            options["max_seconds"] = WEBCAM_SECONDS
        verdicts = Verdicts(self.judge(path, frames=frames, **options) for path, frames in found.items)
        return verdicts if found.many else verdicts[0]

    def stream(self, source: Any, *, folders: str = "auto", **options: Any) -> Iterator[Verdict]:
        """Judge as `predict` does, and yield each verdict as soon as it is there.

        Of many files, a verdict for each. Of a webcam or an iterator of frames, a verdict for each frame, as an image; with
        `every`, for every N-th.

        Args:
            source: see `predict`.
            folders: see `predict`.
            options: see `judge`.

        Raises:
            FileNotFoundError, VideoError, ConfigError, StorageError: see `predict`.
        """
        found = sources(source, folders)
        live = isinstance(source, int) or (isinstance(source, Iterator) and not found.many)
        if live:
            ((path, frames),) = found.items
            return self._live(path, frames, options)
        return (self.judge(path, frames=frames, **options) for path, frames in found.items)

    def _live(self, path: Path, frames: Any, options: dict[str, Any]) -> Iterator[Verdict]:
        """A verdict for each frame of a live source."""
        sampler = FrameSampler(options.pop("every", 1))
        most, seconds = options.pop("max_frames", None), options.pop("max_seconds", None)
        images = frames.frames(sampler, inf if seconds is None else time.monotonic() + seconds)
        for index, image in islice(images, most):
            one = MemorySource([image[..., ::-1]], frames.name, is_image=True)
            yield self.judge(Path(f"{path} frame {index}"), frames=one, **options)

    def judge(
        self,
        path: str | Path,
        *,
        frames: MemorySource | None = None,
        every: int = 1,
        max_frames: int | None = None,
        faces: str = "largest",
        crops: bool = False,
        margin: float | None = None,
        max_seconds: float | None = None,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Verdict:
        """Judge one video, image or folder of frames; a missing or unreadable file is ``"undecided"``, with the reason.

        Args:
            path: the file; a folder is one video.
            frames: frames in memory, of which `path` is the name; None to read the file.
            every: judge every N-th frame.
            max_frames: maximum number of frames, evenly spaced; None for all. Of frames whose number is unknown, the first.
            faces: ``"largest"`` of each frame, or ``"all"``; then the face with the highest score decides.
            crops: whether the images are face crops; skips face detection.
            margin: with `crops`, their side in longer sides of the face box: 1.3 as `split` cuts; None as the detector expects.
            max_seconds: time limit, in seconds; the verdict is then on the frames read so far. None for no limit.
            progress: called with the number of frames done and the total; 0 if the total is unknown.

        Raises:
            VideoError: a frame in memory has another shape or type.
        """
        options = replace(
            self._options,
            every=every,
            max_frames=max_frames,
            every_face=faces == "all",
            crops=crops,
            crop_margin=margin,
            max_seconds=max_seconds,
            examiner=self.examiner,
        )
        verdict = judge(Path(path), options, progress, frames)
        if faces == "largest" and not crops:  # as the files of the card were judged
            add_card(verdict, self.traits, rated=self._own_thresholds)
        return verdict

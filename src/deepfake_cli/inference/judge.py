"""Judge a file: one thread decodes and detects faces, another scores them."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path

import numpy as np

from deepfake_cli.errors import DeepfakeError
from deepfake_cli.faces import FaceDetector
from deepfake_cli.faces.tracking import track_faces
from deepfake_cli.inference.aggregate import interval, pooled
from deepfake_cli.inference.ahead import ahead
from deepfake_cli.inference.condition import Condition
from deepfake_cli.inference.faces import DULLEST, SMALLEST, Face, faces, whole
from deepfake_cli.inference.record import Examiner
from deepfake_cli.inference.recording import Recorder
from deepfake_cli.inference.result import FaceResult, Verdict
from deepfake_cli.inference.timeline import Timeline
from deepfake_cli.inference.views import Views
from deepfake_cli.media.memory import MemorySource
from deepfake_cli.media.video import FrameSampler, FrameSource
from deepfake_cli.storage.disk import reason
from deepfake_cli.storage.downloads import downloaded

BATCH = 4  # crops per batch: larger batches are no faster on CPUs and take more memory
PROGRESS_EVERY = 0.5  # seconds between calls of progress, if there are no faces
ENOUGH = 0.05  # minimum fraction of usable frames of a face
FEW = 5  # minimum frames of any face but the largest, or all frames if fewer; false detections are rarely as long
REASONS = {
    "too small": f"smaller than {SMALLEST} pixels",
    "too blurred": f"sharpness below {DULLEST} grey levels",
}

Scores = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class JudgeOptions:
    """Options of `judge`.

    Attributes:
        scores: scores crops, uint8 RGB (n, size, size, 3) to float64 (n,).
        face_detector: finds the faces of an image.
        size: side of the crops, in pixels.
        margin: side of a crop, relative to the longer side of the face box.
        threshold: scores at or above this are fake.
        real_below: scores below this are real; scores in between are inconclusive.
        photo_threshold: replaces `threshold` for a single image.
        resize: how crops are resized, as in `deepfake_cli.faces.crop.crop`.
        calibrated: whether scores are probabilities.
        crops: whether the images are face crops; skips face detection.
        crop_margin: margin of these; None for `margin`.
        pool: how frame scores are pooled; a key of `deepfake_cli.metrics.pooling.POOLS`.
        every: judge every N-th frame.
        max_frames: maximum number of frames, evenly spaced; None for all.
        every_face: judge all faces; the one with the highest score decides.
        max_seconds: time limit, in seconds; the verdict is then on the frames read so far. None for no limit.
        examiner: the detector, for the record.
        trust: certificates (PEM) of signers of Content Credentials to trust.
    """

    scores: Scores
    face_detector: FaceDetector
    size: int
    margin: float
    threshold: float
    real_below: float
    photo_threshold: float
    resize: str = "linear"
    calibrated: bool = False
    crops: bool = False
    crop_margin: float | None = None
    pool: str = "mean"
    every: int = 1
    max_frames: int | None = None
    every_face: bool = False
    max_seconds: float | None = None
    examiner: Examiner | None = None
    trust: Path | None = None


def judge(
    path: Path,
    options: JudgeOptions,
    progress: Callable[[int, int], None] = lambda done, total: None,
    source: MemorySource | None = None,
) -> Verdict:
    """Judge a video, an image or a folder of frames; undecided, with a reason, if there is no usable face.

    Args:
        path: the file.
        options: see `JudgeOptions`.
        progress: called with the number of frames done and the total; 0 if the total is unknown.
        source: frames in memory, of which `path` is the name; None to read the file.
    """
    started = time.monotonic()
    verdict = Verdict(path, threshold=options.threshold, real_below=options.real_below, calibrated=options.calibrated)
    until = started + (options.max_seconds or inf)
    recorder = Recorder(options)
    if source is not None:  # the caller's own frames: what is wrong with them is the caller's error
        _judge_frames(verdict, source, options, progress, until)
    else:
        try:
            with downloaded(path) as local, recorder.of_file(local, verdict):
                _judge_frames(verdict, recorder.opened(FrameSource(local)), options, progress, until)
        except (DeepfakeError, OSError) as error:
            verdict.reason = reason(error).removeprefix(f"{path}: ")
    verdict.record = recorder.record(verdict)
    verdict.seconds = time.monotonic() - started
    return verdict


def _judge_frames(
    verdict: Verdict,
    source: FrameSource | MemorySource,
    options: JudgeOptions,
    progress: Callable[[int, int], None],
    until: float,
) -> None:
    total = source.count(until) if options.max_frames else source.promised
    sampler = FrameSampler(options.every, options.max_frames, total)
    frames = source.frames(sampler, until)
    if source.is_image:
        verdict.threshold = max(options.threshold, options.photo_threshold)
    views = Views(sampler.expected)
    if options.crops:
        own = options.crop_margin or options.margin
        stream = whole(frames, views, size=options.size, margin=options.margin, own=own, resize=options.resize)
        if own < options.margin:
            verdict.notes.append(
                f"the detector expects crops of margin {options.margin:g}, and this has {own:g}: what is missing around the face "
                "may change the score"
            )
    else:
        tracked = track_faces(frames, options.face_detector, every=2 * options.every, max_gap=0)
        cut = partial(faces, size=options.size, margin=options.margin, resize=options.resize)
        stream = cut(tracked, views, every_face=options.every_face)
    timelines: dict[int, Timeline] = {}
    left_out: Counter[str] = Counter()
    for count, batch in _scored(ahead(_batches(stream, left_out)), options.scores):
        for face, score in batch:
            timelines.setdefault(face.track, Timeline(face.track)).add(face, score)
        verdict.frames = count
        progress(count, sampler.expected)
    verdict.fps, verdict.times = source.facts.fps, source.times
    faults = source.faults()
    if source.stopped:
        faults.insert(0, _stopped(verdict.frames, sampler.expected, options.max_seconds or 0))
    left_out.update(fault for timeline in timelines.values() for fault in timeline.faults.elements())
    verdict.left_out = dict(left_out)
    if left_out["unreadable"] == verdict.frames and faults:  # not a single frame
        verdict.reason = "; ".join(faults)
        return
    if isinstance(source, FrameSource) and source.path.is_dir():
        faults.append(f"{source.promised:,} images, judged as the frames of one video; --folders files judges each")
    verdict.notes += faults
    _decide(verdict, list(timelines.values()), options)
    if verdict.faces:
        deciding = verdict.faces[0].timeline
        verdict.condition = Condition.of(deciding, source, views.turn(deciding.track))


def _stopped(done: int, total: int, seconds: float) -> str:
    of = f" of {total:,}" if total > done else ""
    return f"stopped after {seconds:g} s: only the first {done:,}{of} frames were judged; see --max-seconds"


def _decide(verdict: Verdict, timelines: list[Timeline], options: JudgeOptions) -> None:
    timelines.sort(key=lambda timeline: -timeline.area)
    enough = min(FEW, verdict.frames)
    lasting = timelines[:1] + [timeline for timeline in timelines[1:] if len(timeline) >= enough]
    results = [_face_result(timeline, options.pool) for timeline in (lasting if options.every_face else timelines[:1])]
    judged = [result for result in results if result.score is not None]
    judged.sort(key=lambda result: result.score or 0.0, reverse=True)
    verdict.faces = judged + [result for result in results if result.score is None]
    if not judged:
        verdict.reason = _reason(verdict, results)
        return
    score = judged[0].score
    assert score is not None
    low, high = verdict.interval or (score, score)
    if verdict.real_below <= score < verdict.threshold:
        verdict.reason = f"inconclusive: {score:.3f} is from {verdict.real_below:.3f} to {verdict.threshold:.3f}"
        return
    verdict.label, limit = ("fake", verdict.threshold) if score >= verdict.threshold else ("real", verdict.real_below)
    if low < limit <= high:
        verdict.notes.append("the 95 % interval includes the threshold")


def _face_result(timeline: Timeline, pool: str) -> FaceResult:
    scores = timeline.judged
    if not len(scores) or len(scores) < ENOUGH * len(timeline):
        return FaceResult(timeline)
    low, high = interval(scores, pool) or (None, None)
    return FaceResult(timeline, pooled(scores, pool), low, high)


def _reason(verdict: Verdict, results: list[FaceResult]) -> str:
    """Why no face could be judged."""
    if not results:
        unreadable = verdict.left_out.get("unreadable", 0)
        if unreadable == verdict.frames:
            return "no readable frame"
        frames = f"{'any of ' * (verdict.frames > 1)}{verdict.frames:,} frame{'s' * (verdict.frames > 1)}"
        return f"no face in {frames}" + ("" if verdict.fps else "; for a face crop, use --crops")
    timeline = results[0].timeline
    fault, count = timeline.faults.most_common(1)[0]
    size = f", largest is {timeline.largest:.0f}" if fault == "too small" else ""
    return f"{count:,} of {len(timeline):,} faces {fault}: {REASONS[fault]}{size}"


Batch = tuple[int, list[Face]]  # frames read so far, and new faces


def _batches(stream: Iterator[tuple[int, bool, list[Face]]], left_out: Counter[str]) -> Iterator[Batch]:
    batch: list[Face] = []
    count, reported = 0, time.monotonic()
    for count, (_, readable, of_frame) in enumerate(stream, 1):
        if not of_frame:
            left_out["no face" if readable else "unreadable"] += 1
        batch += of_frame
        if len(batch) >= BATCH:
            yield count, batch
            batch, reported = [], time.monotonic()
        elif time.monotonic() - reported > PROGRESS_EVERY:
            yield count, []
            reported = time.monotonic()
    yield count, batch


def _scored(batches: Iterator[Batch], scores: Scores) -> Iterator[tuple[int, list[tuple[Face, float]]]]:
    for frames, batch in batches:
        fit = [face for face in batch if not face.fault]
        values = iter(scores(np.stack([face.crop for face in fit]))) if fit else iter(())
        yield frames, [(face, float("nan") if face.fault else float(next(values))) for face in batch]

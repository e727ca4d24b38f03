"""The frames of a face with the highest scores, and their heat maps."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from deepfake_cli.errors import VideoError
from deepfake_cli.faces.crop import crop
from deepfake_cli.inference.detector import Detector
from deepfake_cli.inference.recording import CHANGED
from deepfake_cli.inference.result import FaceResult, Verdict
from deepfake_cli.inference.timeline import Moment, Timeline
from deepfake_cli.media.video import FrameSource
from deepfake_cli.storage.disk import reason

FACES = 4  # shown per file: each decodes the file again
MOST = 6  # frames per face
APART = 12  # two of them are at least 1 / APART of the timeline apart


@dataclass(frozen=True)
class TopFrame:
    """A face in one frame.

    Attributes:
        moment: frame, score and box of the face.
        face: the crop that was judged, uint8 BGR (size, size, 3).
        heat: heat map for fake, float32 (rows, columns) in 0..1, where 1 is the maximum over all frames; None without maps.
    """

    moment: Moment
    face: np.ndarray
    heat: np.ndarray | None


def faces_of(verdict: Verdict) -> list[FaceResult]:
    """The faces of a file that are shown; none if it changed, since its frames are no longer those that were scored."""
    return [] if verdict.reason == CHANGED else verdict.faces[:FACES]


@contextmanager
def read_again(verdict: Verdict) -> Iterator[None]:
    """Note on the verdict, which stands, that its file can no longer be read for its frames: it was moved, for instance."""
    try:
        yield
    except VideoError as error:
        note = f"frames cannot be shown: {reason(error).removeprefix(f'{verdict.path}: ')}"
        verdict.notes += [note] if note not in verdict.notes else []


def top_frames(verdict: Verdict, timeline: Timeline, detector: Detector) -> list[TopFrame]:
    """Return the frames of a face with the highest scores, in temporal order; decodes the file again."""
    chosen = {moment.frame: moment for moment in highest(timeline)}
    traits = detector.traits
    size, margin, resize = traits.image_size, traits.margin, traits.resize
    crops = {
        index: crop(image, chosen[index].box, margin=margin, size=size, resize=resize)
        for index, image in FrameSource(verdict.path).at(chosen)
        if image is not None and index in chosen
    }
    maps = heat_maps(list(crops.values()), detector)
    strongest = max((float(heat.max()) for heat in maps), default=0.0) or 1.0
    scaled: list[np.ndarray | None] = [*(heat / strongest for heat in maps)] or [None] * len(crops)
    return [TopFrame(chosen[index], face, heat) for (index, face), heat in zip(crops.items(), scaled, strict=True)]


def highest(timeline: Timeline) -> list[Moment]:
    """Return the frames with the highest scores, in temporal order, with a minimum distance between them."""
    chosen: list[int] = []
    apart = len(timeline) / APART
    for place in np.argsort(-timeline.scores, kind="stable")[: len(timeline.judged)].tolist():
        if len(chosen) < MOST and all(abs(place - other) >= apart for other in chosen):
            chosen.append(place)
    return [timeline[place] for place in sorted(chosen)]


def heat_maps(crops: list[np.ndarray], detector: Detector) -> list[np.ndarray]:
    """Return the positive contributions of each region to the logit; empty if the detector has no maps.

    Args:
        crops: uint8 BGR (size, size, 3) each.
        detector: that judged them.
    """
    if not (crops and detector.network.maps):
        return []
    return list(np.maximum(detector.network.heat(np.stack(crops)[..., ::-1].copy()), 0))

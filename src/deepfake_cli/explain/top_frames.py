"""The frames of a face that look most fake, and where in them."""

from dataclasses import dataclass

import numpy as np

from deepfake_cli.faces.crop import crop
from deepfake_cli.inference.detector import Detector
from deepfake_cli.inference.result import Verdict
from deepfake_cli.inference.timeline import Moment, Timeline
from deepfake_cli.media.video import FrameSampler, FrameSource

MOST = 6  # frames of a face
APART = 12  # at least so many parts of the file lie between two of them


@dataclass(frozen=True)
class Suspect:
    """A face in one frame.

    Attributes:
        moment: the frame, its score, and where the face is.
        face: as it was judged, uint8 BGR (size, size, 3).
        heat: what speaks for fake, float32 (rows, columns) in 0..1 of the most in any of them; None if not known.
    """

    moment: Moment
    face: np.ndarray
    heat: np.ndarray | None


def suspects(verdict: Verdict, timeline: Timeline, detector: Detector) -> list[Suspect]:
    """The most suspicious frames of a face, in their order; the file, which has to be there still, is decoded again."""
    chosen = {moment.frame: moment for moment in suspicious(timeline)}
    keep = FrameSampler()
    keep.spread = frozenset(chosen)
    size, margin = detector.traits.image_size, detector.traits.margin
    crops = {
        index: crop(image, chosen[index].box, margin=margin, size=size)
        for index, image in FrameSource(verdict.path).frames(keep)
        if image is not None and index in chosen
    }
    heat = speaking_for_fake(list(crops.values()), detector)
    strongest = max((float(each.max()) for each in heat), default=0.0) or 1.0
    maps: list[np.ndarray | None] = [*(each / strongest for each in heat)] or [None] * len(crops)
    return [Suspect(chosen[index], face, each) for (index, face), each in zip(crops.items(), maps, strict=True)]


def suspicious(timeline: Timeline) -> list[Moment]:
    """The frames with the highest scores, not all of them from one moment, in their order."""
    chosen: list[int] = []
    apart = len(timeline) / APART
    for place in np.argsort(-timeline.scores, kind="stable")[: len(timeline.judged)].tolist():
        if len(chosen) < MOST and all(abs(place - other) >= apart for other in chosen):
            chosen.append(place)
    return [timeline[place] for place in sorted(chosen)]


def speaking_for_fake(crops: list[np.ndarray], detector: Detector) -> list[np.ndarray]:
    """What each place adds to the logit of fake, where it adds; none if the detector does not tell.

    Args:
        crops: uint8 BGR (size, size, 3) each.
        detector: what judged them.
    """
    if not (crops and detector.network.maps):
        return []
    return list(np.maximum(detector.network.heat(np.stack(crops)[..., ::-1].copy()), 0))

"""What a visitor reads: a page with the timeline, the most suspicious faces and what in them speaks for fake.

It needs nothing but a browser, no network and no script, so that it can be kept and passed on.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from deepfake_cli.detector import Detector
from deepfake_cli.faces.crop import crop
from deepfake_cli.report.faces import jpeg, overlay
from deepfake_cli.verdict.result import Verdict
from deepfake_cli.verdict.timeline import Moment, Timeline
from deepfake_cli.video import Keep, Source

PEOPLE = 4  # that are shown: each takes a decoding of the file
MOST = 6  # frames of each
APART = 12  # at least so many parts of the file lie between two of them
WIDE, HIGH = 600, 150  # of the timeline, in its own units


def page(verdict: Verdict, name: str, detector: Detector) -> str:
    """Make the page of one file; the file is decoded a second time, for the few faces that are shown.

    Args:
        verdict: what is said of the file, which has to be there still.
        name: what it is to be called.
        detector: what judged it.
    """
    import jinja2

    from deepfake_cli import __version__

    loader = jinja2.PackageLoader("deepfake_cli", "")
    engine = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return engine.get_template("app/result.html.jinja").render(
        verdict=verdict,
        name=name,
        words={"fake": "Probably fake", "real": "Probably real", "undecided": "Undecided"}[verdict.verdict],
        faces=[
            _face(number, face.timeline, verdict, detector) for number, face in enumerate(verdict.faces[:PEOPLE], 1)
        ],
        maps=detector.network.maps,
        threshold=verdict.threshold,
        level=_height(verdict.threshold),
        size=(WIDE, HIGH),
        model=detector.traits.model,
        runs_on=detector.network.runs_on,
        version=__version__,
    )


def _face(number: int, timeline: Timeline, verdict: Verdict, detector: Detector) -> dict[str, Any]:
    frames = timeline.frames
    return {
        "number": number,
        "probability": verdict.faces[number - 1].probability,
        "line": _line(timeline) if len(timeline) > 1 else "",
        "ends": [_when(int(frame), verdict.fps) for frame in (frames[0], frames[-1])],
        "cards": _cards(suspicious(timeline), verdict, detector),
    }


def suspicious(timeline: Timeline) -> list[Moment]:
    """The frames with the highest scores, not all of them from one moment, in their order."""
    chosen: list[int] = []
    apart = len(timeline) / APART
    for place in np.argsort(-timeline.scores, kind="stable")[: len(timeline.judged)].tolist():
        if len(chosen) < MOST and all(abs(place - other) >= apart for other in chosen):
            chosen.append(place)
    return [timeline[place] for place in sorted(chosen)]


def _cards(moments: Sequence[Moment], verdict: Verdict, detector: Detector) -> list[dict[str, Any]]:
    """Of each face its words, its crop and its heat map, as ``data:`` addresses."""
    boxes = {moment.frame: moment for moment in moments}
    keep = Keep()
    keep.spread = frozenset(boxes)
    size, margin = detector.traits.image_size, detector.traits.margin
    crops = {
        index: crop(image, boxes[index].box, margin=margin, size=size)
        for index, image in Source(verdict.path).frames(keep)
        if image is not None and index in boxes
    }
    heat = _heat(list(crops.values()), detector)
    return [
        {
            "when": _when(index, verdict.fps),
            "score": boxes[index].score,
            "face": jpeg(image),
            "heat": None if heat is None else jpeg(overlay(image, heat[place])),
        }
        for place, (index, image) in enumerate(crops.items())
    ]


def _heat(crops: Sequence[np.ndarray], detector: Detector) -> np.ndarray | None:
    """What speaks for fake in each crop, uint8 BGR, in 0..1 of the most in any of them; None where that is not known."""
    if not (crops and detector.network.maps):
        return None
    found = np.maximum(detector.network.heat(np.stack(crops)[..., ::-1].copy()), 0)
    return found / max(float(found.max()), 1e-6)


def _line(timeline: Timeline) -> str:
    """The path of the scores, the highest of each of `WIDE` steps; it breaks where there is none."""
    frames, scores = timeline.frames, timeline.scores
    across = (frames - frames[0]) / max(1, frames[-1] - frames[0]) * WIDE
    starts = np.flatnonzero(np.diff(np.floor(across), prepend=-1.0))
    path, pen = [], "M"
    for x, score in zip(across[starts], np.fmax.reduceat(scores, starts), strict=True):
        pen, known = (pen, True) if score == score else ("M", False)
        if known:
            path.append(f"{pen}{x:.1f} {_height(score):.1f}")
            pen = "L"
    return " ".join(path)


def _height(score: float) -> float:
    return round(HIGH * (1 - score), 1)


def _when(frame: int, fps: float) -> str:
    if not fps:
        return f"frame {frame:,}"
    minutes, seconds = divmod(frame / fps, 60)
    return f"{minutes:.0f}:{seconds:04.1f}"

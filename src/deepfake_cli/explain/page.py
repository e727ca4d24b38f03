"""The page of one or more verdicts: timeline, frames with the highest scores, heat maps.

The page is self-contained: no network, no scripts.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from deepfake_cli.explain.top_frames import TopFrame, top_frames
from deepfake_cli.inference.detector import Detector
from deepfake_cli.inference.record_words import sections
from deepfake_cli.inference.result import FaceResult, Verdict
from deepfake_cli.inference.timeline import Timeline
from deepfake_cli.reporting.heat_map import overlay
from deepfake_cli.reporting.html import data_url, render

CAUTION = (
    "A verdict is not a proof, and no evidence about a person: detectors make errors, most of all on forgeries unlike those in "
    "their training data."
)
FACES = 4  # shown per file: each decodes the file again
WIDE, HIGH = 600, 150  # of the timeline, in SVG units
WORDS = {"fake": "Probably fake", "real": "Probably real", "undecided": "Undecided"}


def part(verdict: Verdict, name: str, detector: Detector) -> dict[str, Any]:
    """Return the part of the page on one file; decodes the file again for the frames shown.

    Args:
        verdict: of the file.
        name: of the file, for display.
        detector: that gave the verdict.
    """
    return {
        "name": name,
        "verdict": verdict,
        "words": WORDS[verdict.label],
        "record": sections(verdict.record) if verdict.record else [],
        "origin": verdict.record.origin_lines if verdict.record else [],
        "level": _height(verdict.threshold),
        "faces": [_face(face, verdict, detector) for face in verdict.faces[:FACES]],
    }


def page(parts: Sequence[dict[str, Any]], detector: Detector, command: str = "", *, verbal: bool = False) -> str:
    """Return the HTML of the page.

    Args:
        parts: of the files, from `part`.
        detector: that judged them.
        command: that reproduces the page.
        verbal: whether to state likelihood ratios in the words of ENFSI's scale, too.
    """
    counts = Counter(file["verdict"].label for file in parts)
    return render(
        "explain/page.html.jinja",
        files=parts,
        title=parts[0]["words"] if len(parts) == 1 else f"{len(parts):,} files judged",
        counts=", ".join(f"{counts[label]:,} {label}" for label in WORDS if counts[label]),
        maps=detector.network.maps,
        threshold=detector.threshold,
        thresholds=detector.thresholds,
        rates=" ".join(filter(None, [detector.rates, detector.terms])),
        calibrated=any(file["verdict"].calibrated for file in parts),
        size=(WIDE, HIGH),
        model=detector.traits.model,
        runs_on=detector.network.runs_on,
        command=command,
        caution=CAUTION,
        verbal=verbal,
    )


def _face(face: FaceResult, verdict: Verdict, detector: Detector) -> dict[str, Any]:
    timeline = face.timeline
    shown = top_frames(verdict, timeline, detector)
    moments = [frame.moment for frame in shown]
    first, length = int(timeline.frames[0]), max(1, int(timeline.frames[-1] - timeline.frames[0]))
    return {
        "score": face.score,
        "line": _line(timeline) if len(timeline) > 1 else "",
        "dots": [(round((moment.frame - first) / length * WIDE, 1), _height(moment.score)) for moment in moments],
        "ends": [_when(int(frame), verdict) for frame in (timeline.frames[0], timeline.frames[-1])],
        "cards": [_card(frame, verdict) for frame in shown],
    }


def _card(frame: TopFrame, verdict: Verdict) -> dict[str, Any]:
    """Time, score, crop and heat map of a frame; images as ``data:`` URLs."""
    heat = None if frame.heat is None else data_url(overlay(frame.face, frame.heat))
    score = frame.moment.score
    return {"when": _when(frame.moment.frame, verdict), "score": score, "face": data_url(frame.face), "heat": heat}


def _line(timeline: Timeline) -> str:
    """SVG path of the scores, the maximum per step; gaps where there is no score."""
    frames, scores = timeline.frames, timeline.scores
    across = (frames - frames[0]) / max(1, frames[-1] - frames[0]) * WIDE
    starts = np.flatnonzero(np.diff(np.floor(across), prepend=-1.0))
    path, pen = [], "M"
    for x, score in zip(across[starts], np.fmax.reduceat(scores, starts), strict=True):
        if np.isnan(score):
            pen = "M"
        else:
            path.append(f"{pen}{x:.1f} {_height(score):.1f}")
            pen = "L"
    return " ".join(path)


def _height(score: float) -> float:
    return round(HIGH * (1 - score), 1)


def _when(frame: int, verdict: Verdict) -> str:
    time = verdict.time(frame)
    if time is None:
        return f"frame {frame:,}"
    minutes, seconds = divmod(time, 60)
    return f"{minutes:.0f}:{seconds:04.1f}"

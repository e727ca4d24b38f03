"""A verdict, or several, as one page: the timeline, the most suspicious faces and what in them speaks for fake.

It needs nothing but a browser, no network and no script, so that it can be kept and passed on.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from deepfake_cli.explain.top_frames import Suspect, suspects
from deepfake_cli.inference.detector import Detector
from deepfake_cli.inference.result import FaceResult, Verdict
from deepfake_cli.inference.timeline import Timeline
from deepfake_cli.reporting.heat_map import overlay
from deepfake_cli.reporting.html import data_url, render

PEOPLE = 4  # that are shown of a file: each takes a decoding of it
WIDE, HIGH = 600, 150  # of the timeline, in its own units
WORDS = {"fake": "Probably fake", "real": "Probably real", "undecided": "Undecided"}


def part(verdict: Verdict, name: str, detector: Detector) -> dict[str, Any]:
    """What `page` shows of one file, which has to be there still: it is decoded again for the few faces that are shown.

    Args:
        verdict: what is said of the file.
        name: what it is to be called.
        detector: what judged it.
    """
    return {
        "name": name,
        "verdict": verdict,
        "words": WORDS[verdict.label],
        "sha256": _sha256(verdict),
        "level": _height(verdict.threshold),
        "faces": [_face(face, verdict, detector) for face in verdict.faces[:PEOPLE]],
    }


def page(parts: Sequence[dict[str, Any]], detector: Detector, command: str = "") -> str:
    """Make the page.

    Args:
        parts: of the files, as `part` gives them.
        detector: what judged them.
        command: what repeats it.
    """
    counts = Counter(each["verdict"].label for each in parts)
    return render(
        "explain/page.html.jinja",
        files=parts,
        title=parts[0]["words"] if len(parts) == 1 else f"{len(parts):,} files judged",
        counts=", ".join(f"{counts[call]:,} {call}" for call in WORDS if counts[call]),
        maps=detector.network.maps,
        threshold=detector.threshold,
        thresholds=detector.thresholds,
        rates=detector.rates,
        calibrated=any(each["verdict"].calibrated for each in parts),
        size=(WIDE, HIGH),
        model=detector.traits.model,
        runs_on=detector.network.runs_on,
        command=command,
    )


def _face(face: FaceResult, verdict: Verdict, detector: Detector) -> dict[str, Any]:
    timeline = face.timeline
    shown = suspects(verdict, timeline, detector)
    moments = [suspect.moment for suspect in shown]
    first, length = int(timeline.frames[0]), max(1, int(timeline.frames[-1] - timeline.frames[0]))
    return {
        "score": face.score,
        "line": _line(timeline) if len(timeline) > 1 else "",
        "dots": [(round((each.frame - first) / length * WIDE, 1), _height(each.score)) for each in moments],
        "ends": [_when(int(frame), verdict.fps) for frame in (timeline.frames[0], timeline.frames[-1])],
        "cards": [_card(suspect, verdict.fps) for suspect in shown],
    }


def _card(suspect: Suspect, fps: float) -> dict[str, Any]:
    """Its words, its crop and its heat map, as ``data:`` addresses."""
    heat = None if suspect.heat is None else data_url(overlay(suspect.face, suspect.heat))
    score = suspect.moment.score
    return {"when": _when(suspect.moment.frame, fps), "score": score, "face": data_url(suspect.face), "heat": heat}


def _sha256(verdict: Verdict) -> str:
    """Of the file's bytes; empty for a folder, and for what is not there."""
    try:
        with verdict.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


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

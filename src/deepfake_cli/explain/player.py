"""The player of a page: the scores over time, and the frame of each moment with its boxes. It needs no script."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from deepfake_cli.explain.boxes import call, draw_box
from deepfake_cli.inference.result import FaceResult, Verdict
from deepfake_cli.inference.timeline import Moment, Timeline
from deepfake_cli.media.video import FrameSource
from deepfake_cli.reporting.html import data_url

STILLS = 30  # frames to choose from, evenly spaced, besides those with the highest scores
SIDE = 512  # pixels: longer side of a frame
WIDE, HIGH = 600, 100  # of the chart, in SVG units
# Between two ticks: seconds, or frames.
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
TICKS = 6  # at most, about


def player(verdict: Verdict, faces: Sequence[FaceResult], wanted: Iterable[int]) -> dict[str, Any]:
    """Return the values of the player for the template; decodes the file again.

    Args:
        verdict: of the file.
        faces: the faces shown, the deciding one first.
        wanted: frames to show in any case.

    Returns:
        ``lines`` (an SVG path per face), ``ticks`` (place and text), ``zones`` (heights of the thresholds), and ``moments``:
        ``at`` and ``wide`` in 0..1 of the width, ``frame``, ``when``, ``words``, ``image`` and whether it is ``chosen``.
    """
    lines = [face.timeline for face in faces]
    axis = _Axis(verdict, lines)
    shown = _stills(lines, wanted)
    pictures = {index: image for index, image in FrameSource(verdict.path).at(shown) if image is not None}
    kept = [index for index in shown if index in pictures]
    edges = _edges([axis.at(index) for index in kept])
    first = lines[0]
    best = int(first.frames[np.nanargmax(first.scores)]) if len(first.judged) else -1
    chosen = best if best in kept else kept[0] if kept else -1
    return {
        "lines": [_path(line, axis) for line in lines],
        "ticks": axis.ticks(),
        "timed": bool(verdict.times),
        "zones": {"fake": _height(verdict.threshold), "real": _height(verdict.real_below)},
        "moments": [
            {"at": left, "wide": right - left, "frame": index, "when": when(index, verdict), "chosen": index == chosen}
            | _seen(pictures[index], index, lines, verdict)
            for index, left, right in zip(kept, edges[:-1], edges[1:], strict=True)
        ],
    }


def when(frame: int, verdict: Verdict) -> str:
    """The time of a frame, or its number if the source has no times."""
    time = verdict.time(frame)
    return f"frame {frame:,}" if time is None else clock(time, 1)


def clock(seconds: float, digits: int = 0) -> str:
    """A time as minutes and seconds, ``1:02.5``, with hours from one hour on."""
    minutes, rest = divmod(round(seconds, digits), 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{rest:0{3 + digits if digits else 2}.{digits}f}"
    return f"{hours}:{minutes:02d}:{text}" if hours else f"{minutes}:{text}"


class _Axis:
    """The horizontal axis: seconds, or frames if the source has no times."""

    def __init__(self, verdict: Verdict, lines: Sequence[Timeline]):
        self._verdict = verdict
        ends = [self._value(int(line.frames[place])) for line in lines for place in (0, -1)]
        self._start, self._length = min(ends), max(1e-9, max(ends) - min(ends))

    def _value(self, frame: int) -> float:
        time = self._verdict.time(frame)
        return float(frame) if time is None else time

    def at(self, frame: int) -> float:
        """Place of a frame, in 0..1."""
        return (self._value(frame) - self._start) / self._length

    def ticks(self) -> list[tuple[float, str]]:
        """Place in 0..1 and text of each tick."""
        timed = bool(self._verdict.times)
        step = next((step for step in STEPS if self._length / step <= TICKS and (timed or step >= 1)), self._length)
        values = np.arange(np.ceil(self._start / step - 1e-6) * step, self._start + self._length + 1e-6, step)
        text = (lambda value: clock(value, int(step < 1))) if timed else (lambda value: f"{value:,.0f}")
        return [((float(value) - self._start) / self._length, text(float(value))) for value in values]


def _stills(lines: Sequence[Timeline], wanted: Iterable[int]) -> list[int]:
    """The frames to show, in order."""
    frames = np.unique(np.concatenate([line.frames for line in lines]))
    spread = frames[np.unique(np.linspace(0, len(frames) - 1, STILLS).round().astype(int))]
    return sorted({*spread.tolist(), *wanted})


def _edges(places: Sequence[float]) -> list[float]:
    """The borders between moments, halfway, so that each place of the chart belongs to the nearest one."""
    return [0.0, *((a + b) / 2 for a, b in pairwise(places)), 1.0]


def _seen(image: np.ndarray, index: int, lines: Sequence[Timeline], verdict: Verdict) -> dict[str, Any]:
    """The frame with its boxes, and the scores in words."""
    picture, words = image.copy(), []
    for number, line in enumerate(lines, 1):
        moment = _moment(line, index)
        if moment is not None:
            draw_box(picture, moment, verdict)
            said = call(moment.score, verdict)
            score = said if said == "not judged" else f"{moment.score:.3f}, {said}"
            words.append(f"face {number} {score}" if len(lines) > 1 else score)
    return {"image": data_url(picture, SIDE), "words": "; ".join(words) or "no face"}


def _moment(line: Timeline, frame: int) -> Moment | None:
    place = int(np.searchsorted(line.frames, frame))
    return line[place] if place < len(line) and line.frames[place] == frame else None


def _path(line: Timeline, axis: _Axis) -> str:
    """SVG path of the scores, the maximum per step; gaps where there is no score."""
    scores = line.scores
    across = np.array([axis.at(int(frame)) for frame in line.frames]) * WIDE
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

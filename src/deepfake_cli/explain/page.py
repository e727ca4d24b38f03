"""The page of one or more verdicts: player, frames with the highest scores, heat maps.

The page is self-contained: no network, no scripts.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from deepfake_cli.explain.player import HIGH, WIDE, player, when
from deepfake_cli.explain.top_frames import TopFrame, faces_of, read_again, top_frames
from deepfake_cli.inference.detector import Detector
from deepfake_cli.inference.record_words import sections
from deepfake_cli.inference.result import FaceResult, Verdict
from deepfake_cli.reporting.heat_map import overlay
from deepfake_cli.reporting.html import data_url, render

CAUTION = (
    "A verdict is not a proof, and no evidence about a person: detectors make errors, most of all on forgeries unlike those in "
    "their training data."
)
WORDS = {"fake": "Probably fake", "real": "Probably real", "undecided": "Undecided"}


def part(verdict: Verdict, name: str, detector: Detector) -> dict[str, Any]:
    """Return the part of the page on one file; decodes the file again for the frames shown.

    If that fails, or if the file has changed, no frames are shown.

    Args:
        verdict: of the file.
        name: of the file, for display.
        detector: that gave the verdict.
    """
    shown, film = faces_of(verdict), None
    faces: list[dict[str, Any]] = []
    with read_again(verdict):
        faces = [_face(face, verdict, detector) for face in shown]
        wanted = [card["frame"] for face in faces for card in face["cards"]]
        film = player(verdict, shown, wanted) if shown else None
    return {
        "name": name,
        "verdict": verdict,
        "words": WORDS[verdict.label],
        "record": sections(verdict.record) if verdict.record else [],
        "origin": verdict.record.origin_lines if verdict.record else [],
        "faces": faces,
        "player": film,
    }


def overall(parts: Sequence[dict[str, Any]], rates: str) -> str:
    """The error rates of a detector, as text; empty where the rates of files like those at hand are stated instead."""
    return "" if any(file["verdict"].errors for file in parts) else rates


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
        rates=" ".join(filter(None, [overall(parts, detector.rates), detector.terms])),
        calibrated=any(file["verdict"].calibrated for file in parts),
        size=(WIDE, HIGH),
        named=detector.traits.title,
        runs_on=detector.network.runs_on,
        command=command,
        caution=CAUTION,
        verbal=verbal,
    )


def _face(face: FaceResult, verdict: Verdict, detector: Detector) -> dict[str, Any]:
    cards = [_card(frame, verdict) for frame in top_frames(verdict, face.timeline, detector)]
    return {"score": face.score, "cards": cards}


def _card(frame: TopFrame, verdict: Verdict) -> dict[str, Any]:
    """Time, score, crop and heat map of a frame; images as ``data:`` URLs."""
    heat = None if frame.heat is None else data_url(overlay(frame.face, frame.heat))
    moment = frame.moment
    about = {"frame": moment.frame, "when": when(moment.frame, verdict), "score": moment.score}
    return about | {"face": data_url(frame.face), "heat": heat}

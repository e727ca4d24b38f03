"""Draw the box and the score of a face on a frame."""

import cv2
import numpy as np

from deepfake_cli.inference.result import Verdict
from deepfake_cli.inference.timeline import Moment

REAL, FAKE, GREY = (0xB2, 0x72, 0x00), (0x00, 0x5E, 0xD5), (120, 120, 120)  # BGR


def call(score: float, verdict: Verdict) -> str:
    """What a score alone says: ``fake``, ``real``, ``undecided``, or ``not judged``."""
    if score != score:
        return "not judged"
    return "fake" if score >= verdict.threshold else "real" if score < verdict.real_below else "undecided"


def draw_box(picture: np.ndarray, moment: Moment, verdict: Verdict) -> None:
    """Draw a box with its score: orange for fake, blue for real, grey for undecided or not judged.

    Args:
        picture: uint8 BGR (height, width, 3); drawn on.
        moment: a face in this frame.
        verdict: whose thresholds decide.
    """
    x0, y0, x1, y1 = (round(value) for value in moment.box[:4])
    said = call(moment.score, verdict)
    colour = {"fake": FAKE, "real": REAL}.get(said, GREY)
    thick = max(1, round(max(picture.shape[:2]) / 400))
    cv2.rectangle(picture, (x0, y0), (x1, y1), colour, thick, cv2.LINE_AA)
    words = said if said == "not judged" else f"{moment.score:.2f}"
    size = max(0.5, max(picture.shape[:2]) / 900)
    at = x0, max(round(24 * size), y0 - 4 * thick)  # inside of the frame
    for ink, wide in (((0, 0, 0), 3 * thick), ((255, 255, 255), thick)):
        cv2.putText(picture, words, at, cv2.FONT_HERSHEY_SIMPLEX, size, ink, wide, cv2.LINE_AA)

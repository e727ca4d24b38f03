"""The frames of a case as PNG: those with the highest scores as they were decoded, the faces judged, and heat maps."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from deepfake_cli.errors import StorageError
from deepfake_cli.explain.top_frames import TopFrame, faces_of, top_frames
from deepfake_cli.inference.detector import Detector
from deepfake_cli.inference.result import Verdict
from deepfake_cli.media.video import FrameSource
from deepfake_cli.reporting.heat_map import overlay


def write_frames(folder: Path, place: str, verdict: Verdict, detector: Detector) -> list[dict[str, Any]]:
    """Write the frames of a verdict; returns an entry for each face in a frame, with its pictures.

    Args:
        folder: of the case.
        place: folder of this file in it.
        verdict: of a local file, which is decoded again.
        detector: that gave it.
    """
    entries = []
    faces = [(number, face) for number, face in enumerate(faces_of(verdict), 1) if len(face.timeline.judged)]
    for number, face in faces:
        for shown in top_frames(verdict, face.timeline, detector):
            entries.append(_entry(folder, place, number, shown, verdict))
    wanted = {entry["frame"] for entry in entries}
    for index, image in FrameSource(verdict.path).at(wanted) if wanted else ():
        if image is not None and index in wanted:
            _png(folder / _name(place, index), image)
    return entries


def _entry(folder: Path, place: str, number: int, shown: TopFrame, verdict: Verdict) -> dict[str, Any]:
    moment = shown.moment
    pictures = {"face": shown.face, "heat": None if shown.heat is None else overlay(shown.face, shown.heat)}
    names = {
        kind: _name(place, moment.frame, f"-{kind}-{number}") for kind, image in pictures.items() if image is not None
    }
    for kind, name in names.items():
        _png(folder / name, pictures[kind])
    return {
        "frame": moment.frame,
        "time": verdict.time(moment.frame),
        "face": number,
        "score": round(moment.score, 4),
        "box": [round(float(side), 1) for side in moment.box[:4]],
        "picture": _name(place, moment.frame),
        "face_picture": names["face"],
        "heat_picture": names.get("heat"),
    }


def _name(place: str, index: int, what: str = "") -> str:
    return f"{place}/frame-{index:06d}{what}.png"


def _png(path: Path, image: Any) -> None:
    """Write uint8 BGR as PNG, which loses nothing."""
    done, data = cv2.imencode(".png", np.asarray(image))
    if not done:
        raise StorageError(f"{path.name}: a frame of {image.shape[1]}x{image.shape[0]} cannot be written as PNG.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.tobytes())

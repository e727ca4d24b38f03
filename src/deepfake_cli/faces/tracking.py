"""Detect and track the faces in a stream of frames."""

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np

from deepfake_cli.faces import FaceDetector
from deepfake_cli.faces.box import Box
from deepfake_cli.faces.interpolate import detect_stream
from deepfake_cli.faces.smooth import Tracked, smooth
from deepfake_cli.faces.tracker import Tracker


def track_faces(
    images: Iterable[tuple[int, np.ndarray | None]], detect: FaceDetector, *, every: int, max_gap: int
) -> Iterator[Tracked]:
    """Detect faces, track them, bridge gaps and smooth the boxes.

    Args:
        images: index in the source and image (None: unreadable), in order.
        detect: the face detector.
        every: source frames from one detection to the next, see `detect_stream`.
        max_gap: longest gap to bridge, in source frames; see `smooth`.

    Yields:
        Each frame with its boxes by track, in order, with a delay of some frames.
    """
    return smooth(_tracked(images, detect, every), max_gap=max_gap)


def _tracked(images: Iterable[tuple[int, np.ndarray | None]], detect: FaceDetector, every: int) -> Iterator[Tracked]:
    tracker = Tracker()
    for index, image, boxes in detect_stream(images, detect, every=every):
        yield index, image, {} if image is None else tracker.update(index, image, boxes)


def ranked(frames: Iterable[dict[int, Box]], least: int = 1) -> list[int]:
    """The tracks with at least `least` frames, by summed box area, largest first."""
    areas: Counter[int] = Counter()
    seen: Counter[int] = Counter()
    for boxes in frames:
        for number, box in boxes.items():
            areas[number] += box.area  # type: ignore[assignment]
            seen[number] += 1
    return sorted((number for number in areas if seen[number] >= least), key=lambda number: (-areas[number], number))

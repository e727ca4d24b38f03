"""From a stream of frames to the faces in them, each followed through the video."""

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np

from deepfake_cli.faces import FaceDetector
from deepfake_cli.faces.box import Box
from deepfake_cli.faces.interpolate import detect_stream
from deepfake_cli.faces.smooth import Tracked, steady
from deepfake_cli.faces.tracker import Tracker


def follow(
    images: Iterable[tuple[int, np.ndarray | None]], detect: FaceDetector, *, every: int, max_gap: int
) -> Iterator[Tracked]:
    """Find, follow, bridge and smooth.

    Args:
        images: index in the source, and the image (None: unreadable), in order.
        detect: the face detector.
        every: source frames from one detection to the next, see `detect_stream`.
        max_gap: most source frames without the face that are bridged, see `steady`.

    Yields:
        Each frame with its boxes by track, in order, some frames later.
    """
    return steady(_tracked(images, detect, every), max_gap=max_gap)


def _tracked(images: Iterable[tuple[int, np.ndarray | None]], detect: FaceDetector, every: int) -> Iterator[Tracked]:
    tracker = Tracker()
    for index, image, boxes in detect_stream(images, detect, every=every):
        yield index, image, {} if image is None else tracker.follow(index, image, boxes)


def ranked(frames: Iterable[dict[int, Box]], least: int = 1) -> list[int]:
    """The tracks that are in at least `least` frames, by their summed area, so that large and long ones come first."""
    areas: Counter[int] = Counter()
    seen: Counter[int] = Counter()
    for found in frames:
        for number, box in found.items():
            areas[number] += box.area  # type: ignore[assignment]
            seen[number] += 1
    return sorted((number for number in areas if seen[number] >= least), key=lambda number: (-areas[number], number))

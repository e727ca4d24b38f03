"""Detect faces on some frames, and interpolate the boxes in between where the faces barely move."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from deepfake_cli.faces.box import Box, mean

STILL = 0.8  # minimum IoU of the boxes on both sides, to interpolate between them

Detected = tuple[int, np.ndarray | None, list[Box]]


def detect_stream(
    images: Iterable[tuple[int, np.ndarray | None]], detect: Callable[[np.ndarray], list[Box]], *, every: int
) -> Iterator[Detected]:
    """Detect the faces in a stream of frames.

    Args:
        images: index in the source and image (None: unreadable), in order.
        detect: the face detector.
        every: source frames from one detection to the next. Frames in between are interpolated if both detections found
            the same faces in nearly the same place; otherwise they are detected, too.

    Yields:
        Each frame with its boxes. At most `every` images are in memory.
    """
    key: tuple[int, list[Box]] | None = None
    waiting: list[tuple[int, np.ndarray]] = []
    for index, image in images:
        if image is None:
            yield from ((number, held, detect(held)) for number, held in waiting)
            yield index, None, []
            key, waiting = None, []
        elif key is not None and index - key[0] < every:
            waiting.append((index, image))
        else:
            detected = index, detect(image)
            for number, held in waiting:
                boxes = None if key is None else interpolate(key[1], detected[1], (number - key[0]) / (index - key[0]))
                yield number, held, detect(held) if boxes is None else boxes
            yield index, image, detected[1]
            key, waiting = detected, []
    yield from ((number, held, detect(held)) for number, held in waiting)


def interpolate(before: list[Box], after: list[Box], share: float) -> list[Box] | None:
    """Interpolate boxes at `share` (0..1) of the way; None if the faces are not the same or moved too far."""
    if len(before) != len(after):
        return None
    places = range(len(after))
    partners = [max(places, key=lambda place: box.overlap(after[place])) for box in before]
    pairs = [(box, after[place]) for box, place in zip(before, partners, strict=True)]
    if len(set(partners)) < len(partners) or any(box.overlap(other) < STILL for box, other in pairs):
        return None
    return [mean(pair, [1 - share, share]) for pair in pairs]

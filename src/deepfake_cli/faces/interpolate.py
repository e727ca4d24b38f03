"""Detecting on some frames and interpolating on those between, where the faces barely move."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from deepfake_cli.faces.box import Box, mean

STILL = 0.8  # least overlap of a face's boxes on both sides for a box between them

Found = tuple[int, np.ndarray | None, list[Box]]


def detect_stream(
    images: Iterable[tuple[int, np.ndarray | None]], detect: Callable[[np.ndarray], list[Box]], *, every: int
) -> Iterator[Found]:
    """Find the faces of a stream of frames.

    Args:
        images: index in the source, and the image (None: unreadable), in order.
        detect: the face detector.
        every: source frames from one detection to the next. A frame between two detections is looked at after all,
            unless both found the same faces in nearly the same place.

    Yields:
        Each frame with its boxes. At most `every` images are held.
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
            now = index, detect(image)
            for number, held in waiting:
                boxes = None if key is None else between(key[1], now[1], (number - key[0]) / (index - key[0]))
                yield number, held, detect(held) if boxes is None else boxes
            yield index, image, now[1]
            key, waiting = now, []
    yield from ((number, held, detect(held)) for number, held in waiting)


def between(before: list[Box], after: list[Box], share: float) -> list[Box] | None:
    """The boxes at `share` (0..1) of the way; None if the faces on both sides are not the same, nearly in place."""
    if len(before) != len(after):
        return None
    places = range(len(after))
    partners = [max(places, key=lambda place: box.overlap(after[place])) for box in before]
    pairs = [(box, after[place]) for box, place in zip(before, partners, strict=True)]
    if len(set(partners)) < len(partners) or any(box.overlap(other) < STILL for box, other in pairs):
        return None
    return [mean(pair, [1 - share, share]) for pair in pairs]

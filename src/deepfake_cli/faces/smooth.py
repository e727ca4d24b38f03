"""Tracks made whole and steady: short gaps bridged, boxes smoothed, over a short delay."""

from collections import deque
from collections.abc import Iterable, Iterator
from math import exp

import numpy as np

from deepfake_cli.faces.box import Box, mean

REACH = 3  # source frames on either side that smooth a box
WEIGHTS = [exp(-(distance**2) / (2 * 1.5**2)) for distance in range(REACH + 1)]  # Gaussian, of 1.5 frames
SAME_PLACE = 0.5  # least overlap of boxes that smooth each other: not over a jump
COVERED = 0.2  # overlap from which another face hides one that was not found

Tracked = tuple[int, np.ndarray | None, dict[int, Box]]


def steady(stream: Iterable[Tracked], *, max_gap: int) -> Iterator[Tracked]:
    """Bridge the gaps of tracks and smooth their boxes.

    Args:
        stream: index in the source, image (None: unreadable) and boxes by track, in order.
        max_gap: most source frames without the face that are bridged once it is found again.

    Yields:
        The same frames with the boxes bridged (their score is 0) and smoothed. A frame is held until its neighbours are
        known: `REACH` frames, and while a track is lost, `max_gap` more.
    """
    waiting: deque[tuple[int, np.ndarray | None]] = deque()
    boxes: dict[int, dict[int, Box]] = {}  # by frame and track, of the frames waiting and REACH before
    last: dict[int, int] = {}  # where each track was found last
    for index, image, found in stream:
        waiting.append((index, image))
        boxes[index] = dict(found)
        for number in found:
            if number in last and index - last[number] <= max_gap + 1:
                bridge(boxes, number, last[number], index)
            last[number] = index
        last = {number: seen for number, seen in last.items() if index - seen <= max_gap}
        settled = min(last.values(), default=index)
        while waiting and waiting[0][0] + REACH <= settled:
            yield _next(waiting, boxes)
    while waiting:
        yield _next(waiting, boxes)


def _next(waiting: deque[tuple[int, np.ndarray | None]], boxes: dict[int, dict[int, Box]]) -> Tracked:
    index, image = waiting.popleft()
    while (first := next(iter(boxes))) < index - REACH:
        del boxes[first]
    return index, image, {number: smoothed(boxes, number, index) for number in boxes[index]}


def bridge(boxes: dict[int, dict[int, Box]], number: int, before: int, after: int) -> None:
    """Interpolate a track between the frames `before` and `after`, in place; not where another face hides it."""
    for index in range(before + 1, after):
        if index in boxes:
            share = (index - before) / (after - before)
            box = mean([boxes[before][number], boxes[after][number]], [1 - share, share])._replace(score=0.0)
            if all(box.overlap(other) < COVERED for other in boxes[index].values()):
                boxes[index][number] = box


def smoothed(boxes: dict[int, dict[int, Box]], number: int, index: int) -> Box:
    """A track's box on a frame, averaged with those before and after.

    Neighbours count in pairs, as far before as after, so a steady motion is left as it is: nothing lags.
    """
    box = boxes[index][number]
    near, weights = [box], [1.0]
    for distance in range(1, REACH + 1):
        before = boxes.get(index - distance, {}).get(number)
        after = boxes.get(index + distance, {}).get(number)
        if before and after and min(box.overlap(before), box.overlap(after)) >= SAME_PLACE:
            near += before, after
            weights += WEIGHTS[distance], WEIGHTS[distance]
    total = sum(weights)
    return mean(near, [weight / total for weight in weights])._replace(score=box.score) if near[1:] else box

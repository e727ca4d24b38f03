"""Bridge short gaps in tracks and smooth their boxes, as a stream with a short delay."""

from collections import deque
from collections.abc import Iterable, Iterator
from math import exp

import numpy as np

from deepfake_cli.faces.box import Box, mean

REACH = 3  # smoothing window: source frames on either side
WEIGHTS = [exp(-(distance**2) / (2 * 1.5**2)) for distance in range(REACH + 1)]  # Gaussian, sigma 1.5 frames
SAME_PLACE = 0.5  # minimum IoU of boxes that are averaged; prevents smoothing over a jump
COVERED = 0.2  # IoU at which another face hides a lost one

Tracked = tuple[int, np.ndarray | None, dict[int, Box]]


def smooth(stream: Iterable[Tracked], *, max_gap: int) -> Iterator[Tracked]:
    """Bridge the gaps of tracks and smooth their boxes.

    Args:
        stream: index in the source, image (None: unreadable) and boxes by track, in order.
        max_gap: longest gap to bridge, in source frames.

    Yields:
        The same frames with smoothed boxes; boxes in bridged gaps have score 0. The delay is `REACH` frames, and up to
        `max_gap` more while a track is lost.
    """
    waiting: deque[tuple[int, np.ndarray | None]] = deque()
    boxes: dict[int, dict[int, Box]] = {}  # by frame and track; the waiting frames and REACH before them
    last: dict[int, int] = {}  # last frame of each track
    for index, image, tracked in stream:
        waiting.append((index, image))
        boxes[index] = dict(tracked)
        for number in tracked:
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
    """Interpolate a track between frames `before` and `after`, in place, except where another face covers it."""
    for index in range(before + 1, after):
        if index in boxes:
            share = (index - before) / (after - before)
            box = mean([boxes[before][number], boxes[after][number]], [1 - share, share])._replace(score=0.0)
            if all(box.overlap(other) < COVERED for other in boxes[index].values()):
                boxes[index][number] = box


def smoothed(boxes: dict[int, dict[int, Box]], number: int, index: int) -> Box:
    """The box of a track on a frame, averaged with its neighbours.

    Neighbours are used in pairs, one before and one after, so uniform motion is unchanged and there is no lag.
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

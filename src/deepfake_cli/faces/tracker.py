"""Track faces: link boxes over time by position, motion and appearance."""

from dataclasses import dataclass

import cv2
import numpy as np

from deepfake_cli.faces.box import Box

NEAR = 0.2  # minimum IoU with the last or the predicted box
ALIKE = 0.8  # minimum similarity: one face stays above 0.84 over two seconds, 99 % of pairs of people are below 0.78
CROWDED = 0.3  # the same next to another face, which covers part of the patch
PATIENCE = 25  # sampled frames without the face after which a track ends
HORIZON = 12  # frames over which motion is extrapolated
CELLS, SAMPLES = 6, 3  # appearance: 6 by 6 cells, each the mean of at least 3 by 3 pixels
REACH = 0.6  # half the side of the patch, relative to the longer side of the box: includes some hair and collar


def appearance_of(image: np.ndarray, box: Box) -> np.ndarray:
    """Describe the appearance of a face by a tiny colour image, to tell people apart between frames.

    Args:
        image: uint8 (height, width, 3).
        box: the face, in pixels of `image`.

    Returns:
        float32 (109,) of norm 1; the dot product of two is their similarity in -1..1, independent of brightness.
    """
    height, width = image.shape[:2]
    reach = REACH * max(box.x1 - box.x0, box.y1 - box.y0)
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    left, top = min(max(0, int(x - reach)), width - 1), min(max(0, int(y - reach)), height - 1)
    step = max(1, int(2 * reach) // (CELLS * SAMPLES))
    patch = image[top : max(top + 1, int(y + reach)) : step, left : max(left + 1, int(x + reach)) : step]
    cells = cv2.resize(patch, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    descriptor = np.full(CELLS * CELLS * 3 + 1, 50, np.float32)  # last value: keeps a blank patch from amplifying noise
    descriptor[:-1] = cells.ravel()
    descriptor[:-1] -= descriptor[:-1].sum() / (len(descriptor) - 1)
    return descriptor / np.sqrt(descriptor @ descriptor)


def is_near(box: Box, other: Box) -> bool:
    """Whether the patches of two faces overlap."""
    reach = REACH * (max(box.x1 - box.x0, box.y1 - box.y0) + max(other.x1 - other.x0, other.y1 - other.y0))
    return max(abs(box.x0 + box.x1 - other.x0 - other.x1), abs(box.y0 + box.y1 - other.y0 - other.y1)) < 2 * reach


@dataclass(eq=False)
class Track:
    """One face tracked through a video.

    Attributes:
        number: index, in order of first appearance.
        box: the last box, on frame `index` of the source.
        index: source frame of `box`.
        seen: sampled frame of `box`, counted by the tracker.
        appearance: running mean of the appearance.
        latest: appearance on frame `index`.
        speed: pixels per source frame, to the right and down.
    """

    number: int
    box: Box
    index: int
    seen: int
    appearance: np.ndarray
    latest: np.ndarray
    speed: tuple[float, float] = (0.0, 0.0)

    def expected(self, index: int) -> Box:
        """Predict the box on frame `index`, at constant speed."""
        frames = min(index - self.index, HORIZON)
        x, y = self.speed[0] * frames, self.speed[1] * frames
        return Box(self.box.x0 + x, self.box.y0 + y, self.box.x1 + x, self.box.y1 + y)

    def affinity(self, box: Box, appearance: np.ndarray, index: int, least: float) -> float:
        """Score how well a box on frame `index` with this appearance continues the track: up to 1.5; 0 for no match.

        Appearance counts more than position, so that a face is found again after it was partly hidden.
        """
        place = max(self.expected(index).overlap(box), self.box.overlap(box))
        similarity = float(self.appearance @ appearance)
        alike = similarity >= least or float(self.latest @ appearance) >= least
        return similarity + place / 2 if place >= NEAR and alike else 0.0

    def extend(self, box: Box, appearance: np.ndarray, index: int, time: int, alone: bool) -> None:
        """Continue with `box` on frame `index`; update motion and appearance only if no other face is near."""
        if alone and index > self.index:
            frames = 2 * (index - self.index)  # centres are half the sums of corners
            x = (box.x0 + box.x1 - self.box.x0 - self.box.x1) / frames
            y = (box.y0 + box.y1 - self.box.y0 - self.box.y1) / frames
            self.speed = (self.speed[0] + x) / 2, (self.speed[1] + y) / 2
            mixed = 0.9 * self.appearance + 0.1 * appearance
            self.appearance, self.latest = mixed / np.sqrt(mixed @ mixed), appearance
        self.box, self.index, self.seen = box, index, time


class Tracker:
    """Links boxes from frame to frame greedily, best matches first.

    A box continues a track if it is near and looks similar. So a cut to another person starts a new track, even at the
    same position, and two people who cross keep their tracks.
    """

    def __init__(self) -> None:
        self._open: list[Track] = []
        self._count = self._time = 0

    def update(self, index: int, image: np.ndarray, boxes: list[Box]) -> dict[int, Box]:
        """Assign the boxes of the next frame to existing or new tracks; return them by track number."""
        self._time += 1
        self._open = [track for track in self._open if self._time - track.seen <= PATIENCE]
        appearances = [appearance_of(image, box) for box in boxes]
        alone = [not any(is_near(box, other) for other in boxes if other is not box) for box in boxes]
        taken = self._continued(index, list(zip(boxes, appearances, alone, strict=True)))
        for place, (box, appearance) in enumerate(zip(boxes, appearances, strict=True)):
            if place in taken:
                taken[place].extend(box, appearance, index, self._time, alone[place])
            else:
                taken[place] = Track(self._count, box, index, self._time, appearance, appearance)
                self._open.append(taken[place])
                self._count += 1
        return {taken[place].number: box for place, box in enumerate(boxes)}

    def _continued(self, index: int, faces: list[tuple[Box, np.ndarray, bool]]) -> dict[int, Track]:
        """The open tracks that faces continue, by index of the face."""
        pairs = [
            (track.affinity(box, appearance, index, ALIKE if alone else CROWDED), track, place)
            for track in self._open
            for place, (box, appearance, alone) in enumerate(faces)
        ]
        taken: dict[int, Track] = {}
        for affinity, track, place in sorted(pairs, key=lambda pair: -pair[0]):  # ties: the earlier track first
            if affinity and place not in taken and track not in taken.values():
                taken[place] = track
        return taken

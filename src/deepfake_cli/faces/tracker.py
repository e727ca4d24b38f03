"""Which box is which person: boxes linked over time by place, motion and look."""

from dataclasses import dataclass

import cv2
import numpy as np

from deepfake_cli.faces.box import Box

NEAR = 0.2  # least overlap with where a face was, or should be by now
ALIKE = 0.8  # least likeness: one face stays above 0.84 over two seconds, 99 of 100 pairs of people are below 0.78
CROWDED = 0.3  # the same beside another face, which covers some of this one's look
PATIENCE = 25  # kept frames that a track may miss before it ends
HORIZON = 12  # frames that a motion is trusted to go on
CELLS, SAMPLES = 6, 3  # a look is a picture of 6 by 6 cells, each the mean of at least 3 by 3 pixels
REACH = 0.6  # half a side of the look's square, in longer sides of the box: some hair and collar


def look(image: np.ndarray, box: Box) -> np.ndarray:
    """A face's look, to tell two people apart from one frame to the next: a tiny colour picture of it.

    Args:
        image: uint8 (height, width, 3).
        box: the face, in pixels of `image`.

    Returns:
        float32 (109,) of length 1; the product of two is their likeness in -1..1, whatever their brightness.
    """
    height, width = image.shape[:2]
    reach = REACH * max(box.x1 - box.x0, box.y1 - box.y0)
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    left, top = min(max(0, int(x - reach)), width - 1), min(max(0, int(y - reach)), height - 1)
    step = max(1, int(2 * reach) // (CELLS * SAMPLES))
    patch = image[top : max(top + 1, int(y + reach)) : step, left : max(left + 1, int(x + reach)) : step]
    cells = cv2.resize(patch, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    found = np.full(CELLS * CELLS * 3 + 1, 50, np.float32)  # the last value keeps a blank patch from being noise
    found[:-1] = cells.ravel()
    found[:-1] -= found[:-1].sum() / (len(found) - 1)
    return found / np.sqrt(found @ found)


def beside(box: Box, other: Box) -> bool:
    """Whether the looks of two faces share pixels."""
    reach = REACH * (max(box.x1 - box.x0, box.y1 - box.y0) + max(other.x1 - other.x0, other.y1 - other.y0))
    return max(abs(box.x0 + box.x1 - other.x0 - other.x1), abs(box.y0 + box.y1 - other.y0 - other.y1)) < 2 * reach


@dataclass(eq=False)
class Track:
    """One face followed through a video.

    Attributes:
        number: counted from 0 in order of appearance.
        box: the last one, found on frame `index` of the source, the `seen`-th that was kept.
        look: its look so far, slowly following.
        latest: its look on that frame.
        speed: pixels a source frame, to the right and down.
    """

    number: int
    box: Box
    index: int
    seen: int
    look: np.ndarray
    latest: np.ndarray
    speed: tuple[float, float] = (0.0, 0.0)

    def expected(self, index: int) -> Box:
        """Where the face should be on frame `index`, if its motion goes on."""
        frames = min(index - self.index, HORIZON)
        x, y = self.speed[0] * frames, self.speed[1] * frames
        return Box(self.box.x0 + x, self.box.y0 + y, self.box.x1 + x, self.box.y1 + y)

    def affinity(self, box: Box, seen: np.ndarray, index: int, least: float) -> float:
        """How well a box of frame `index` with the look `seen` continues this track: up to 1.5, 0 for not at all.

        The look counts more than the place, so that a face that was half hidden becomes its old self again.
        """
        place = max(self.expected(index).overlap(box), self.box.overlap(box))
        likeness = float(self.look @ seen)
        alike = likeness >= least or float(self.latest @ seen) >= least
        return likeness + place / 2 if place >= NEAR and alike else 0.0

    def extend(self, box: Box, seen: np.ndarray, index: int, time: int, alone: bool) -> None:
        """Go on to `box` on frame `index`; learn motion and look only where no other face comes near."""
        if alone and index > self.index:
            frames = 2 * (index - self.index)  # centres are half the sums of corners
            x = (box.x0 + box.x1 - self.box.x0 - self.box.x1) / frames
            y = (box.y0 + box.y1 - self.box.y0 - self.box.y1) / frames
            self.speed = (self.speed[0] + x) / 2, (self.speed[1] + y) / 2
            mixed = 0.9 * self.look + 0.1 * seen
            self.look, self.latest = mixed / np.sqrt(mixed @ mixed), seen
        self.box, self.index, self.seen = box, index, time


class Tracker:
    """Links boxes from frame to frame, greedily, the best pairs first.

    A box continues a track if it is near enough and looks alike; so after a cut to another person a new track starts,
    though the face be in the same place, and two people who cross keep their tracks.
    """

    def __init__(self) -> None:
        self._open: list[Track] = []
        self._count = self._time = 0

    def follow(self, index: int, image: np.ndarray, boxes: list[Box]) -> dict[int, Box]:
        """Take the boxes of the next kept frame; return them by the number of the track that each continues or starts."""
        self._time += 1
        self._open = [track for track in self._open if self._time - track.seen <= PATIENCE]
        looks = [look(image, box) for box in boxes]
        alone = [not any(beside(box, other) for other in boxes if other is not box) for box in boxes]
        taken = self._continued(index, list(zip(boxes, looks, alone, strict=True)))
        for place, (box, seen) in enumerate(zip(boxes, looks, strict=True)):
            if place in taken:
                taken[place].extend(box, seen, index, self._time, alone[place])
            else:
                taken[place] = Track(self._count, box, index, self._time, seen, seen)
                self._open.append(taken[place])
                self._count += 1
        return {taken[place].number: box for place, box in enumerate(boxes)}

    def _continued(self, index: int, faces: list[tuple[Box, np.ndarray, bool]]) -> dict[int, Track]:
        """The open tracks that faces continue, by the face's place in the list."""
        pairs = [
            (track.affinity(box, seen, index, ALIKE if alone else CROWDED), track, place)
            for track in self._open
            for place, (box, seen, alone) in enumerate(faces)
        ]
        taken: dict[int, Track] = {}
        for affinity, track, place in sorted(pairs, key=lambda pair: -pair[0]):  # of equals the earlier track
            if affinity and place not in taken and track not in taken.values():
                taken[place] = track
        return taken

"""A face's place in an image, and the tracks that boxes form over time."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Box(NamedTuple):
    """A face: corners in pixels (they may lie outside the image) and the detector's score in 0..1."""

    x0: float
    y0: float
    x1: float
    y1: float
    score: float = 1.0

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return max(0.0, self.x1 - self.x0) * max(0.0, self.y1 - self.y0)

    def overlap(self, other: "Box") -> float:
        """Intersection over union with `other`, in 0..1."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        shared = max(0.0, width) * max(0.0, height)
        return shared / (self.area + other.area - shared) if shared else 0.0


@dataclass(eq=False)
class Track:
    """One face followed through a video."""

    number: int
    last: Box
    seen: int
    size: float = field(default=0.0)

    def extend(self, box: Box, index: int) -> None:
        """Add the face's box at frame `index`; `size` sums the areas, so that large and long tracks win."""
        self.last, self.seen, self.size = box, index, self.size + box.area


class Tracker:
    """Links boxes from frame to frame by their overlap, greedily, the best pairs first.

    Args:
        overlap: least intersection over union that continues a track.
        gap: kept frames that a track may miss before it ends.
    """

    def __init__(self, overlap: float = 0.2, gap: int = 25):
        self.overlap, self.gap = overlap, gap
        self.tracks: list[Track] = []
        self._time = 0

    def follow(self, boxes: list[Box]) -> list[tuple[Track, Box]]:
        """Take the boxes of the next kept frame; return each with the track that it continues or starts."""
        self._time += 1
        open_tracks = [track for track in self.tracks if self._time - track.seen <= self.gap]
        pairs = sorted(
            (
                (track.last.overlap(box), track.number, index)
                for track in open_tracks
                for index, box in enumerate(boxes)
            ),
            reverse=True,
        )
        taken: dict[int, Track] = {}
        for overlap, number, index in pairs:
            if overlap >= self.overlap and index not in taken and self.tracks[number] not in taken.values():
                taken[index] = self.tracks[number]
        for index in range(len(boxes)):
            if index not in taken:
                self.tracks.append(Track(number=len(self.tracks), last=boxes[index], seen=self._time))
                taken[index] = self.tracks[-1]
        for index, track in taken.items():
            track.extend(boxes[index], self._time)
        return [(taken[index], box) for index, box in enumerate(boxes)]

    def largest(self) -> Track | None:
        """The track with the largest summed area; the earlier one, if two tie."""
        return max(self.tracks, key=lambda track: (track.size, -track.number), default=None)

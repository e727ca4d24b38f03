"""The condition of a file: what is known to change how often a detector errs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deepfake_cli.inference.timeline import Timeline

if TYPE_CHECKING:
    from deepfake_cli.media.memory import MemorySource
    from deepfake_cli.media.video import FrameSource

Where = Mapping[str, Any]  # property to [from, below], each None without a limit, or to a word


class Property(NamedTuple):
    """A property of a file.

    Attributes:
        name: for display.
        unit: of its values; empty if there is none.
        edges: where its values are divided into parts; empty for words.
    """

    name: str
    unit: str
    edges: tuple[float, ...]


PROPERTIES: dict[str, Property] = {
    "face_size": Property("face size", "px", (100, 200)),
    "sharpness": Property("sharpness", "grey levels", (8, 14)),
    "light": Property("light of the face", "of 255", (80, 140)),
    "turn": Property("turn of the head", "", (0.2, 0.5)),
    "bits_per_pixel": Property("bits per pixel", "", (0.01, 0.05, 0.2)),
    "codec": Property("codec", "", ()),
}


class Condition(NamedTuple):
    """The condition of a file and its deciding face; medians over all frames with the face, of turn over a few of them.

    Attributes:
        face_size: longer side of the box, in pixels.
        sharpness: see `deepfake_cli.inference.faces.sharpness`, in grey levels.
        light: mean grey level of the face, in 0..255.
        bits_per_pixel: encoded bits per pixel of the file; None if it is not encoded.
        codec: as named by FFmpeg; of images, their format. Empty if unknown.
        turn: distance of the nose from the middle of the face, see `deepfake_cli.faces.turn`, without its side; None if
            the landmarks of the face were not found.
    """

    face_size: float
    sharpness: float
    light: float
    bits_per_pixel: float | None
    codec: str
    turn: float | None = None

    @classmethod
    def of(cls, timeline: Timeline, source: "FrameSource | MemorySource", turn: float | None) -> "Condition":
        """The condition of the face of a timeline, with at least one frame and a turn, in a source that was read."""
        size, sharpness, light = (
            float(np.median(values)) for values in (timeline.sides, timeline.sharpness, timeline.light)
        )
        return cls(size, sharpness, light, source.bits_per_pixel, source.facts.codec, turn)

    def facts(self) -> dict[str, Any]:
        """The values by property, rounded to four significant digits; None if unknown."""
        return {name: rounded(value) for name, value in self._asdict().items()}

    def within(self, where: Where) -> bool:
        """Whether the file is in a part: all its properties lie in the ranges, or are the words, of `where`."""
        own = self._asdict()
        return all(name in own and _inside(own[name], part) for name, part in where.items())

    def part(self, name: str) -> Where | None:
        """The part of one property that the file is in; None if its value is unknown."""
        value = getattr(self, name)
        edges = PROPERTIES[name].edges
        if value is None or value == "":
            return None
        if not edges:
            return {name: value}
        place = int(np.searchsorted(edges, value, side="right"))
        ends = (None, *edges, None)
        return {name: [ends[place], ends[place + 1]]}


def words(name: str, part: Any) -> str:
    """A part of a property as text: ``100 to 200 px``."""
    unit = PROPERTIES[name].unit if name in PROPERTIES else ""
    if isinstance(part, str):
        return part
    low, high = (None if end is None else f"{end:g}" for end in part)
    text = f"below {high}" if low is None else f"{low} or more" if high is None else f"{low} to {high}"
    return f"{text} {unit}".rstrip()


def rounded(value: Any) -> Any:
    """A number with four significant digits; anything else as it is."""
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _inside(value: Any, part: Any) -> bool:
    if value is None or isinstance(part, str) or isinstance(value, str):
        return bool(value == part)
    low, high = part
    return (low is None or value >= low) and (high is None or value < high)

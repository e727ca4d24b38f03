"""What a report needs of a ``metrics.json``; all else in it is optional."""

from typing import Any

from pydantic import BaseModel


class Figure(BaseModel):
    """A figure with its interval, each None where it cannot be had."""

    value: float | None
    low: float | None = None
    high: float | None = None


class Confusion(BaseModel):
    """How many are what, and are called what."""

    real_as_real: int
    real_as_fake: int
    fake_as_real: int
    fake_as_fake: int


class Level(BaseModel):
    """Frames, videos or groups."""

    n: int
    real: int
    fake: int
    auc: Figure
    confusion: Confusion


class Part(BaseModel):
    """The frames of one slice."""

    real: int = 0
    fake: int = 0
    auc: Figure | None = None
    accuracy: Figure | None = None


class Slice(BaseModel):
    """One data set, quality, method or group."""

    by: str
    value: Any
    frame: Part


class Interval(BaseModel):
    """Where the intervals come from."""

    level: float
    resamples: int
    unit: str
    units: int


class Step(BaseModel):
    """One strength of one change."""

    change: str
    strength: float
    frame: Part | None = None
    video: Part | None = None


class Metrics(BaseModel):
    """The whole."""

    threshold: float
    lists: dict[str, str] = {}
    notes: list[str] = []
    frame: Level
    video: Level
    group: Level | None = None
    slices: list[Slice] | None = None
    interval: Interval
    robustness: list[Step] | None = None

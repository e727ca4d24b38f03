"""Required parts of a ``metrics.json``; all other keys are optional."""

from typing import Any

from pydantic import BaseModel


class Figure(BaseModel):
    """A metric with its interval; None where undefined."""

    value: float | None
    low: float | None = None
    high: float | None = None


class Confusion(BaseModel):
    """Confusion matrix: counts by label and prediction."""

    real_as_real: int
    real_as_fake: int
    fake_as_real: int
    fake_as_fake: int


class Level(BaseModel):
    """Metrics of frames, videos or groups."""

    n: int
    real: int
    fake: int
    auc: Figure
    confusion: Confusion


class Part(BaseModel):
    """Frame metrics of one slice."""

    real: int = 0
    fake: int = 0
    auc: Figure | None = None
    accuracy: Figure | None = None


class Slice(BaseModel):
    """One slice: a data set, quality, method or group."""

    by: str
    value: Any
    frame: Part


class Interval(BaseModel):
    """How the intervals were computed."""

    level: float
    resamples: int
    unit: str
    units: int


class Step(BaseModel):
    """One corruption at one strength."""

    change: str
    strength: float
    frame: Part | None = None
    video: Part | None = None


class Metrics(BaseModel):
    """``metrics.json``."""

    threshold: float
    lists: dict[str, str] = {}
    notes: list[str] = []
    frame: Level
    video: Level
    group: Level | None = None
    slices: list[Slice] | None = None
    interval: Interval
    robustness: list[Step] | None = None

"""Progress events of training."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Begun:
    """Training begins.

    Attributes:
        folder: the run's folder on this machine.
        home: where the user finds it: the same folder, or one in an object store.
        resumes: the command that resumes the run.
        model: name of the architecture.
        parameters: number of weights.
        trainable: number of weights that are trained.
        image_size: side of the input, in pixels.
        plan: devices and precision, and why.
        steps: per epoch.
        epochs: to train up to.
        train: counts of the training lists, see `list_counts`.
        validation: the same of the validation list; empty without one.
        notes: warnings for the user.
        beside: this is a non-chief worker, which reports nothing further.
    """

    folder: Path
    home: str
    resumes: str
    model: str
    parameters: int
    trainable: int
    image_size: int
    plan: str
    steps: int
    epochs: int
    train: dict[str, int]
    validation: dict[str, int]
    notes: tuple[str, ...] = ()
    beside: bool = False


@dataclass(frozen=True)
class Phase:
    """A part of the work begins that takes a while and reports nothing meanwhile.

    Attributes:
        name: what it does: ``loading TensorFlow``, ``validating``.
    """

    name: str


@dataclass(frozen=True)
class Stepped:
    """A step is given to the device; `loss` is the mean over the epoch, up to the step before."""

    epoch: int
    step: int
    loss: float


@dataclass(frozen=True)
class Ended:
    """An epoch is done.

    Attributes:
        figures: metrics of the epoch, its row of the recipe's history.
        best: whether it is the best so far.
        snapshot: its file.
        ends: why training stops early; None if it doesn't.
    """

    figures: dict[str, Any]
    best: bool
    snapshot: Path | None
    ends: str | None = None


@dataclass(frozen=True)
class Noted:
    """A message for the user."""

    text: str


Event = Begun | Phase | Stepped | Ended | Noted
Progress = Callable[[Event], None]


def list_counts(table: "pd.DataFrame") -> dict[str, int]:
    """Numbers of frames, fake frames, videos and groups in a list."""
    return {
        "frames": len(table),
        "fake": int(table["label"].sum()),
        "videos": int(table["video"].nunique()),
        "groups": int(table["group"].nunique()),
    }

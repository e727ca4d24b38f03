"""What training tells as it goes, and how it says that it came apart."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.errors import ModelError
from deepfake_cli.runs.listing import BEST
from deepfake_cli.runs.run import Run
from deepfake_cli.storage.remote import url

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Begun:
    """Training begins: where, with what, on what.

    Attributes:
        folder: the run's, on this machine.
        home: where its user finds it: the same, or in an object store.
        resumes: the command that goes on with the run, if it stops.
        trainable: how many of the parameters are in layers that are not frozen.
        beside: another worker, the chief, tells of all that follows.
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
class Stepped:
    """A step is done; `loss` is the mean of the epoch so far."""

    epoch: int
    step: int
    loss: float


@dataclass(frozen=True)
class Ended:
    """An epoch is done.

    Attributes:
        figures: its row of the recipe's history.
        best: whether it is the best so far.
        snapshot: its file.
        ends: why training ends before its last epoch, if it does.
    """

    figures: dict[str, Any]
    best: bool
    snapshot: Path | None
    ends: str | None = None


@dataclass(frozen=True)
class Noted:
    """Something that the user should know now."""

    text: str


Event = Begun | Stepped | Ended | Noted
Progress = Callable[[Event], None]


def counted(table: "pd.DataFrame") -> dict[str, int]:
    """How many frames, fakes, videos and groups a list has."""
    return {
        "frames": len(table),
        "fake": int(table["label"].sum()),
        "videos": int(table["video"].nunique()),
        "groups": int(table["group"].nunique()),
    }


def came_apart(what: str, epoch: int, step: int, run: Run) -> ModelError:
    """The error of a run whose loss or weights are no numbers: what is good still, and what to try."""
    lower = f"--lr {run.settings.lr / 10:g}"
    good = next((name for name in reversed(run.recipe["snapshots"]) if name != BEST), None)
    again = f"deepfake train --snapshot {url(run.home.path / good)} {lower}" if good else f"deepfake train {lower}"
    return ModelError(
        f"{what} in epoch {epoch} at step {step}: training came apart. {run.kept()}. "
        f"A lower learning rate may mend it: {again}, with the run's other options."
    )

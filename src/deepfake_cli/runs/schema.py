"""What ``recipe.json`` and the saved state of a run may hold; keys of other versions are kept."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from deepfake_cli.inference.card import Conditions, Ratios
from deepfake_cli.metrics.calibration import rising
from deepfake_cli.storage.json_files import Part, Text

Epoch = Annotated[int, Field(ge=0, le=10**6)]
Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[Text, Field(pattern=r"^[^/\\]+$")]  # of a file in the folder, or part of one
Pool = Literal["mean", "median", "top", "confident"]  # keys of `metrics.pooling.POOLS`


Map = Annotated[dict[str, Any], AfterValidator(rising)]


class Snapshot(Part):
    """A snapshot in the recipe."""

    epoch: Epoch
    val_auc: Share = 0
    val_loss: float = 0
    threshold: Share | None = None
    pool: Pool | None = None
    calibration: Map | None = None
    conditions: Conditions | None = None
    likelihood_ratio: Ratios | None = None


class Row(Part):
    """The metrics of an epoch."""

    __pydantic_extra__: dict[str, float | str | None]
    epoch: Epoch
    val_auc: Share = 0
    val_video_auc: Share = 0
    val_loss: float = 0


class Settings(Part):
    """The settings of training; resuming checks all of them."""

    epochs: Annotated[int, Field(ge=1, le=10**6)] = 1
    margin: Annotated[float, Field(ge=1, le=4)] | None = None


class Process(Part):
    """The process that trains, or trained last."""

    pid: int = 0
    host: str = ""


class Recipe(Part):
    """``recipe.json``, of this version or an earlier one."""

    model: Name = "?"
    began: str = ""
    seed: int = 0
    versions: dict[str, str] = {}
    data: dict[str, str] = {}
    groups: dict[str, list[str]] = {}
    history: list[Row] = []
    snapshots: dict[Name, Snapshot] = {}
    settings: Settings = Settings()
    process: Process = Process()
    pool: Pool | None = None
    ended: str | None = None


class OwnSettings(Settings):
    """The settings of a run."""

    epochs: Annotated[int, Field(ge=1, le=10**6)]


class RunRecipe(Recipe):
    """The recipe of a run that can be listed and resumed."""

    model: Name
    versions: dict[str, str]
    data: dict[str, str]
    history: list[Row]
    snapshots: dict[Name, Snapshot]
    settings: OwnSettings


class Progress(Part):
    """The entry ``progress.json`` of a saved state."""

    epoch: Annotated[int, Field(ge=1, le=10**6)]
    step: Annotated[int, Field(ge=1)]
    seeds: list[list[Annotated[int, Field(ge=0, lt=2**32)]]]
    sums: list[Any]

"""``deepfake train``: lists of frames to snapshots of a detector, and the recipe beside them."""

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli import checks, manifest, recipe
from deepfake_cli.config import Train
from deepfake_cli.errors import ManifestError, ModelError
from deepfake_cli.files import whole
from deepfake_cli.quiet import quiet

if TYPE_CHECKING:
    import pandas as pd

BEST = "best.keras"
LEAST_GAIN = 1e-4  # fall of the validation loss that counts as one
CLIP_NORM = 1.0


@dataclass(frozen=True)
class Begun:
    """Training begins: on what, with what, from where."""

    model: str
    parameters: int
    image_size: int
    plan: str
    steps: int
    epochs: int
    first_epoch: int
    train: dict[str, int]
    validation: dict[str, int]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stepped:
    """A step is done; `loss` is the mean of the epoch so far."""

    epoch: int
    step: int
    loss: float


@dataclass(frozen=True)
class Ended:
    """An epoch is done; `figures` is its row of the recipe's history."""

    figures: dict[str, Any]
    best: bool
    snapshot: Path | None


Report = Callable[[Begun | Stepped | Ended], None]


@dataclass
class TrainResult:
    """What `train` made.

    Attributes:
        best: the snapshot with the best validation AUC.
        recipe: how it was made.
        history: one row an epoch.
    """

    best: Path
    recipe: Path
    history: list[dict[str, Any]] = field(default_factory=list)


def train(settings: Train, report: Report = lambda event: None) -> TrainResult:
    """Train a detector, or go on training one.

    Args:
        settings: see `deepfake_cli.config.Train`.
        report: called as training begins, after each step and after each epoch.

    Returns:
        Where the snapshots are, and the figures of every epoch.

    Raises:
        ManifestError: a list is missing, has one class only, names images that aren't there, or shares groups with the
            validation list.
        ModelError: weights or snapshot can't be had, or the loss is no number any more.
        DeviceError: GPUs are asked for that aren't there.
    """
    table, validation = _lists(settings)
    with quiet():
        from deepfake_cli.steps.fit import fit  # TensorFlow loads only now: a fault in the lists shows at once

    return fit(settings, table, validation, report)


def _lists(settings: Train) -> tuple["pd.DataFrame", "pd.DataFrame | None"]:
    table = manifest.read_lists(settings.train_csv)
    checks.check(table, ", ".join(map(str, settings.train_csv)))
    if not settings.evaluation:
        return table, None
    if not settings.val_annotations.is_file():
        raise ManifestError(
            f"{settings.val_annotations}: no such list. Name one with --val-annotations, or --no-evaluation."
        )
    validation = manifest.read(settings.val_annotations)
    checks.check(validation, str(settings.val_annotations))
    shared = checks.shared_groups(table, validation)
    if shared and not settings.allow_leakage:
        raise ManifestError(
            f"Training and validation share {len(shared)} groups (people or source videos): {', '.join(shared[:5])}"
            f"{' …' * (len(shared) > 5)}. Figures would be too good. deepfake make-csv divides by group; --allow-leakage insists."
        )
    return table, validation


def learning_rate(losses: Sequence[float], base: float, *, patience: int, factor: float) -> float:
    """The rate after these validation losses: it falls by `factor` whenever `patience` epochs brought no lower loss.

    A function of the past alone, so that a resumed run takes up where it was.
    """
    best, waited = math.inf, 0
    for loss in losses:
        best, waited = (loss, 0) if loss < best - LEAST_GAIN else (best, waited + 1)
        if patience and waited >= patience:
            base, waited = base * factor, 0
    return base


class Run:
    """The folder of a run: its recipe, a snapshot an epoch, and the best of them."""

    def __init__(self, settings: Train, model_name: str, first_epoch: int):
        self.settings, self.folder = settings, settings.snapshot_path
        self.prefix = model_name.replace(":", "_")
        source = settings.snapshot.parent if settings.snapshot else self.folder
        earlier = recipe.read(settings.snapshot) if settings.snapshot else {}
        resumed_in_place = settings.snapshot is not None and source.absolute() == self.folder.absolute()
        if not resumed_in_place:
            _set_aside(self.folder)
        history = [row for row in earlier.get("history", []) if row["epoch"] <= first_epoch]
        facts = {name: each for name, each in earlier.get("snapshots", {}).items() if each["epoch"] <= first_epoch}
        kept = facts if resumed_in_place else {}
        self.recipe: dict[str, Any] = {
            "model": model_name,
            "log_dir": earlier.get("log_dir") or f"{self.prefix}-{datetime.now():%Y%m%d-%H%M%S}",
            "settings": settings.model_dump(mode="json"),
            "seed": settings.seed,
            "versions": recipe.versions(),
            "data": recipe.fingerprint(
                [*settings.train_csv, *([settings.val_annotations] if settings.evaluation else [])]
            ),
            "history": history,
            "snapshots": kept,
        }
        if BEST not in kept:
            self._take_best({source / name: each for name, each in facts.items() if (source / name).is_file()})

    def _take_best(self, snapshots: dict[Path, dict[str, Any]]) -> None:
        """The best of a resumed run's snapshots is the one to beat, where its own best is elsewhere or from later on."""
        if snapshots:
            path = max(snapshots, key=lambda path: _merit(snapshots[path]))
            with whole(self.folder / BEST) as partial:
                shutil.copyfile(path, partial)
            self.recipe["snapshots"][BEST] = snapshots[path]

    @property
    def history(self) -> list[dict[str, Any]]:
        """One row an epoch."""
        return self.recipe["history"]

    def losses(self) -> list[float]:
        """The validation losses so far."""
        return [row["val_loss"] for row in self.history if "val_loss" in row]

    def keep(self, save: Callable[[Path], None], row: dict[str, Any]) -> tuple[Path, bool]:
        """Keep the state after an epoch: its snapshot, and ``best.keras`` if no earlier one was better."""
        beaten = self.recipe["snapshots"].get(BEST)
        best = beaten is None or "val_auc" not in row or _merit(row) > _merit(beaten)
        self.history.append(row)
        path = self.folder / f"{self.prefix}_csv_{row['epoch']:02d}.keras"
        with whole(path) as partial:
            save(partial)
        facts = {name: row[name] for name in ("epoch", "val_auc", "val_loss", "threshold") if name in row}
        self.recipe["snapshots"][path.name] = facts
        if best:
            with whole(self.folder / BEST) as partial:
                shutil.copyfile(path, partial)
            self.recipe["snapshots"][BEST] = facts
        recipe.write(self.folder, self.recipe)
        if not self.settings.snapshots:
            self._drop_before(row["epoch"])
        return path, best

    def _drop_before(self, epoch: int) -> None:
        for name, facts in list(self.recipe["snapshots"].items()):
            if name != BEST and facts["epoch"] < epoch:
                (self.folder / name).unlink(missing_ok=True)
                del self.recipe["snapshots"][name]


def _merit(row: dict[str, Any]) -> tuple[float, float]:
    """Validation AUC; of two equal ones the lower loss is better."""
    return row.get("val_auc", -math.inf), -row.get("val_loss", math.inf)


def _set_aside(folder: Path) -> None:
    """Move an earlier run's files into a folder of their own, since this run's would overwrite them."""
    if not (folder / recipe.NAME).is_file():
        return
    when = datetime.fromtimestamp((folder / recipe.NAME).stat().st_mtime)
    aside = folder / f"earlier-{when:%Y%m%d-%H%M%S}"
    aside.mkdir(exist_ok=True)
    for path in [*folder.glob("*.keras"), folder / recipe.NAME]:
        path.replace(aside / path.name)


def counted(table: "pd.DataFrame") -> dict[str, int]:
    """How many frames, fakes, videos and groups a list has."""
    return {
        "frames": len(table),
        "fake": int(table["label"].sum()),
        "videos": int(table["video"].nunique()),
        "groups": int(table["group"].nunique()),
    }


def stop_if_not_a_number(loss: float, folder: Path) -> None:
    """Stop a run whose loss is no number.

    Raises:
        ModelError: it isn't; the message says which snapshot is good.
    """
    if not math.isfinite(loss):
        raise ModelError(
            f"The loss is {loss}: training came apart. The snapshots in {folder} are from before. Try a lower --lr."
        )

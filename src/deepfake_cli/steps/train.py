"""``deepfake train``: lists of frames to snapshots of a detector, and the recipe beside them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli import checks, manifest, recipe
from deepfake_cli.config import Train
from deepfake_cli.errors import ManifestError, ModelError
from deepfake_cli.quiet import quiet
from deepfake_cli.steps.resume import check_lists
from deepfake_cli.steps.run import Run, chosen_folder
from deepfake_cli.steps.runs import BEST, epochs_done

if TYPE_CHECKING:
    import pandas as pd

LEAST_GAIN = 1e-4  # fall of the validation loss that counts as one
CLIP_NORM = 1.0


@dataclass(frozen=True)
class Begun:
    """Training begins: where, with what, on what.

    Attributes:
        folder: the run's.
        resumes: the command that goes on with the run, if it stops.
    """

    folder: Path
    resumes: str
    model: str
    parameters: int
    image_size: int
    plan: str
    steps: int
    epochs: int
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
        ModelError: weights, snapshot or the run to go on with can't be had, a file can't be written, or the loss is no
            number any more.
        ConfigError: the run's folder holds one already, or one to go on with began with other settings.
        DeviceError: GPUs are asked for that aren't there.
    """
    run = None
    if settings.resume:
        run = Run.resume(settings)
        settings = run.settings
        check_lists(settings, run.recipe["data"], run.folder)
    else:
        chosen_folder(settings)
    table, validation = _lists(settings)
    if run is None or epochs_done(run.recipe) < settings.epochs:
        with quiet():
            from deepfake_cli.steps.fit import fit  # TensorFlow loads only now: a fault in the lists shows at once

        run = fit(settings, table, validation, report, run)
    run.close()
    return TrainResult(run.folder / BEST, run.folder / recipe.NAME, run.history)


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
    again = f"deepfake train --snapshot {run.folder / good} {lower}" if good else f"deepfake train {lower}"
    return ModelError(
        f"{what} in epoch {epoch} at step {step}: training came apart. {run.kept()}. "
        f"A lower learning rate may mend it: {again}, with the run's other options."
    )

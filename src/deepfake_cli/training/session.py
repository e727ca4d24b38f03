"""One training: lists of frames to snapshots of a detector, and the recipe beside them."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.config import Train
from deepfake_cli.data import checks, manifest
from deepfake_cli.distributed import environment
from deepfake_cli.errors import ManifestError
from deepfake_cli.native_output import quiet
from deepfake_cli.runs import recipe
from deepfake_cli.runs.best_onnx import write_beside
from deepfake_cli.runs.folder import chosen_folder, going_on
from deepfake_cli.runs.listing import BEST, BEST_ONNX, is_finished
from deepfake_cli.runs.read_only import Beside
from deepfake_cli.runs.resume import check_lists
from deepfake_cli.runs.run import Run
from deepfake_cli.storage.remote import here
from deepfake_cli.training.events import Progress

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class TrainResult:
    """What `train` made.

    Attributes:
        best: the snapshot with the best validation AUC.
        recipe: how it was made.
        history: one row an epoch.
        onnx: the same, exported; None if it was not asked for, or could not be.
        fault: why it could not be.
    """

    best: Path
    recipe: Path
    history: list[dict[str, Any]] = field(default_factory=list)
    onnx: Path | None = None
    fault: str = ""


def train(settings: Train, progress: Progress = lambda event: None) -> TrainResult:
    """Train on this machine, alone or as one of several that know each other; see `deepfake_cli.commands.train.train`."""
    run, together, settings = None, environment.found(os.environ), going_on(settings)
    if settings.resume:
        run = (Run if not together or together.is_chief else Beside).resume(settings)
        settings = run.settings
        check_lists(settings, run.recipe["data"], run.home.path)
    else:
        chosen_folder(settings)
    table, validation = read_lists(settings)
    if run is None or not is_finished(run.recipe):
        with quiet():
            from deepfake_cli.training.fit import fit  # TensorFlow loads only now: a fault in the lists shows at once

        run = fit(settings, table, validation, progress, run)
    run.close()
    wanted, home = settings.onnx and run.writes, run.home.path
    fault = write_beside(run.folder / BEST) if wanted else ""
    run.send()
    onnx = home / BEST_ONNX if wanted and not fault else None
    return TrainResult(home / BEST, home / recipe.NAME, run.history, onnx, fault)


def read_lists(settings: Train) -> tuple["pd.DataFrame", "pd.DataFrame | None"]:
    """The lists to train and to validate on.

    Raises:
        ManifestError: see `deepfake_cli.commands.train.train`.
    """
    table = manifest.read_lists(settings.train_csv)
    table = _checked(table, ", ".join(map(str, settings.train_csv)), settings)
    if not settings.evaluation:
        return table, None
    if not here(settings.val_annotations).is_file():
        raise ManifestError(
            f"{settings.val_annotations}: no such list. Name one with --val-annotations, or --no-evaluation."
        )
    validation = _checked(manifest.read(settings.val_annotations), str(settings.val_annotations), settings)
    shared = checks.shared_groups(table, validation)
    if shared and not settings.allow_leakage:
        raise ManifestError(
            f"Training and validation share {len(shared)} groups (people or source videos): {', '.join(shared[:5])}"
            f"{' …' * (len(shared) > 5)}. Figures would be too good. deepfake make-csv divides by group; --allow-leakage insists."
        )
    return table, validation


def _checked(table: "pd.DataFrame", name: str, settings: Train) -> "pd.DataFrame":
    """The list, with both classes; or its reals, if only they are to be used."""
    if not settings.real_only:
        checks.check(table, name)
        return table
    reals = table[table["label"] == 0].reset_index(drop=True)
    if reals.empty:
        raise ManifestError(f"{name}: all {len(table):,} frames are fake; --real-only needs reals to forge.")
    checks.check_files(reals, name)
    return reals

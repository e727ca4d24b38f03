"""One training on this machine: from lists of frames to a run with its snapshots and recipe."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.config import Train
from deepfake_cli.data import checks, crops, manifest
from deepfake_cli.distributed import environment
from deepfake_cli.errors import ManifestError
from deepfake_cli.native_output import quiet
from deepfake_cli.runs import recipe, results
from deepfake_cli.runs.files import BEST, BEST_ONNX
from deepfake_cli.runs.folder import chosen_folder, is_unsaved, resumed_if_there
from deepfake_cli.runs.listing import is_finished
from deepfake_cli.runs.read_only import ReadOnlyRun
from deepfake_cli.runs.resume import check_lists, lists_of
from deepfake_cli.runs.run import Run
from deepfake_cli.storage.disk import check_output, sentence
from deepfake_cli.storage.downloads import is_there
from deepfake_cli.storage.near import hint
from deepfake_cli.training.events import Noted, Phase, Progress
from deepfake_cli.training.export import export_best
from deepfake_cli.training.own import Own

if TYPE_CHECKING:
    import pandas as pd


@dataclass(repr=False)
class TrainResult:
    """What `train` made.

    Attributes:
        best: the snapshot with the best validation AUC.
        recipe: how it was trained, ``recipe.json``.
        history: metrics, one row per epoch.
        onnx: the best snapshot as ONNX; None if not asked for, or if the export failed.
        fault: why the export failed; empty if it didn't.
    """

    best: Path
    recipe: Path
    history: list[dict[str, Any]] = field(default_factory=list)
    onnx: Path | None = None
    fault: str = ""

    def __repr__(self) -> str:
        epochs = f"{len(self.history)} epoch{'s' * (len(self.history) != 1)}"
        aucs = [epoch["val_auc"] for epoch in self.history if "val_auc" in epoch]
        return f"<TrainResult {self.best}: {epochs}{f', validation AUC {max(aucs):.3f}' if aucs else ''}>"

    def to_df(self) -> "pd.DataFrame":
        """The history as a table with a row per epoch."""
        import pandas as pd

        return pd.DataFrame(self.history)


def train(settings: Train, progress: Progress = lambda event: None, own: Own | None = None) -> TrainResult:
    """Train on this machine, alone or as one of several workers; see `deepfake_cli.commands.train.train`."""
    run, workers, settings = None, environment.find_workers(os.environ), resumed_if_there(settings)
    if settings.resume:
        run = (Run if not workers or workers.is_chief else ReadOnlyRun).resume(settings)
        settings = run.settings
        if run.writes:
            check_output(run.folder, folder=True)
        lists = lists_of(settings.train_csv, settings.val_annotations, evaluation=settings.evaluation)
        check_lists(lists, run.recipe["data"], run.location.path)
    else:
        folder = chosen_folder(settings.run, settings.runs_dir, settings.snapshot_path)
        if not workers or workers.is_chief:
            check_output(folder or settings.runs_dir, folder=True)
            if folder and is_unsaved(folder):
                progress(Noted(f"{folder}: the run there ended before it had saved a state, so it is begun anew."))
    table, validation = read_lists(settings)
    for rows, named in ((table, settings.train_csv), (validation, [settings.val_annotations])):
        for note in checks.repeated(rows, ", ".join(map(str, named))) if rows is not None else ():
            progress(Noted(note))
    settings, notes = _with_margin(settings, table, validation)
    for note in notes:
        progress(Noted(note))
    if run is None or not is_finished(run.recipe):
        progress(Phase("loading TensorFlow"))
        with quiet():
            from deepfake_cli.training.fit import fit  # loads TensorFlow, after the lists were checked

        run = fit(settings, table, validation, progress, run, own)
    run.close()
    export, folder = settings.onnx and run.writes, run.location.path
    if export and not (run.folder / BEST_ONNX).is_file():
        progress(Phase("exporting best.onnx"))
    fault = export_best(run.folder / BEST) if export else ""
    if run.writes:
        try:
            results.draw(run.folder, run.history, run.recipe["snapshots"].get(BEST, {}).get("epoch"))
        except OSError as error:  # the run is finished all the same
            progress(Noted(sentence(error)))
    run.send()
    onnx = folder / BEST_ONNX if export and not fault else None
    return TrainResult(folder / BEST, folder / recipe.NAME, run.history, onnx, fault)


def read_lists(settings: Train) -> tuple["pd.DataFrame", "pd.DataFrame | None"]:
    """Read and check the lists to train and to validate on; None without validation.

    Raises:
        ManifestError: see `deepfake_cli.commands.train.train`.
    """
    table = manifest.read_lists(settings.train_csv)
    table = _checked(table, ", ".join(map(str, settings.train_csv)), real_only=settings.real_only)
    if not settings.evaluation:
        return table, None
    path = settings.val_annotations
    if not is_there(path):
        raise ManifestError(
            f"{path}: no such list.{hint(path)} Name a validation list with --val-annotations, or train without: --no-evaluation."
        )
    validation = _checked(manifest.read(path), str(path), real_only=settings.real_only)
    checks.check_videos(validation, str(path))  # pooled by video after each epoch
    shared = checks.shared_groups(table, validation)
    if shared and not settings.allow_leakage:
        raise ManifestError(
            f"Training and validation share {len(shared)} groups (people or source videos): {', '.join(shared[:5])}"
            f"{' …' * (len(shared) > 5)}. Validation metrics would be too high. Divide by group with deepfake make-csv; "
            "or train anyway with --allow-leakage."
        )
    return table, validation


def _with_margin(settings: Train, table: "pd.DataFrame", validation: "pd.DataFrame | None") -> tuple[Train, list[str]]:
    """The settings with the margin of the crops, which the detector gets, and notes on how these were cut.

    Raises:
        ManifestError: a list states no margin that can be read.
        ConfigError: ``--margin`` is not what a list says.
    """
    trained = crops.cut_of(table, settings.margin, ", ".join(map(str, settings.train_csv)))
    margin, notes = trained.margin or settings.margin or crops.USUAL, trained.notes
    if validation is not None:
        checked = crops.cut_of(validation, settings.margin, str(settings.val_annotations))
        notes += [note for note in checked.notes if note not in notes]
        if (checked.margin or margin) != margin:
            notes.append(
                f"{settings.val_annotations}: the crops have a margin of {checked.margin:g}, those to train on {margin:g}: the "
                "validation metrics are of other crops. Run split again, alike for both."
            )
    return settings.model_copy(update={"margin": margin}), notes


def _checked(table: "pd.DataFrame", name: str, *, real_only: bool) -> "pd.DataFrame":
    """Check a list and return it; its reals only, if `real_only`."""
    if not real_only:
        checks.check(table, name)
        return table
    reals = table[table["label"] == 0].reset_index(drop=True)
    if reals.empty:
        raise ManifestError(f"{name}: all {len(table):,} frames are fake; --real-only needs reals to forge.")
    checks.check_files(reals, name)
    return reals

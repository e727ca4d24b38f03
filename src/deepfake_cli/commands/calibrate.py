"""``deepfake calibrate``: fit a map from scores to probabilities, and save it in the recipe."""

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from deepfake_cli.commands.evaluate import earlier, evaluate, inputs
from deepfake_cli.config import Calibrate, Evaluate
from deepfake_cli.data import checks
from deepfake_cli.errors import ManifestError, ModelError
from deepfake_cli.evaluation import folders
from deepfake_cli.evaluation.predictions_file import evaluated, is_predictions
from deepfake_cli.metrics import predictions
from deepfake_cli.metrics.calibration import Calibration
from deepfake_cli.metrics.figures import figures
from deepfake_cli.metrics.names import CALIBRATION
from deepfake_cli.metrics.reliability import reliability
from deepfake_cli.metrics.videos import video_scores
from deepfake_cli.reporting.folder import PREDICTIONS
from deepfake_cli.runs import recipe
from deepfake_cli.runs.best_onnx import read_export, restamp
from deepfake_cli.runs.listing import is_locked
from deepfake_cli.storage.disk import check_output
from deepfake_cli.storage.file_sets import replaced, stale
from deepfake_cli.storage.files import write_text
from deepfake_cli.storage.folders import is_file
from deepfake_cli.storage.remote import here

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int], None]
FEW = 1000  # frames: isotonic regression overfits on fewer (Niculescu-Mizil and Caruana, ICML 2005, figure 8)


@dataclass
class CalibrateResult:
    """Result of `calibrate`.

    Attributes:
        calibration: the content of ``calibration.json``: the map, and the errors before and after.
        files: the files written.
    """

    calibration: dict[str, Any]
    files: list[Path]


def calibrate(settings: Calibrate, progress: Progress = lambda done, total: None) -> CalibrateResult:
    """Fit a calibration, plot its effect, and save it in the recipe of the snapshot.

    Args:
        settings: see `deepfake_cli.config.Calibrate`.
        progress: called with the number of frames scored and the total.

    Raises:
        ManifestError: the list or the predictions are invalid, have one class only, or all scores are equal.
        ModelError: there is no snapshot, no recipe that lists it, or the run is still training.
    """
    with tempfile.TemporaryDirectory(prefix="deepfake-") as folder:
        snapshot, table = _scored(settings, Path(folder), progress)
        return _calibrated(settings, snapshot, table, list(Path(folder).iterdir()))


def _calibrated(settings: Calibrate, snapshot: Path, table: "pd.DataFrame", scored: list[Path]) -> CalibrateResult:
    """Fit, and write all files; `scored` are those of the evaluation, if there was one."""
    fitted = Calibration.fit(table["label"], table["score"], settings.method)
    after = table.assign(score=fitted.apply(table["score"]))
    calibration: dict[str, Any] = {
        "snapshot": str(snapshot),
        **fitted.to_json(),
        "frames": len(table),
        "fake": int(table["label"].sum()),
        "groups": len(checks.groups(table)),
        "before": _errors(table),
        "after": _errors(after),
        "cross_validated": None,
        "folds": settings.folds,
        "threshold": _threshold(snapshot, fitted, table, after),
        "reliability": {
            when: reliability(rows["label"], rows["score"]) for when, rows in (("before", table), ("after", after))
        },
    }
    calibration["notes"] = [*filter(None, [fitted.note()]), *_notes(snapshot, table, calibration)]
    if settings.folds:
        calibration["cross_validated"] = _errors(_held_out(table, settings.method, settings.folds, settings.seed))
    files = [settings.output / name for name in ("calibration.json", "reliability.png")]
    names = earlier(settings.output) if scored else ()
    with replaced(settings.output, last=files[0].name, names=names) as new:
        for path in scored:
            shutil.copyfile(path, new / path.name)
        if removed := stale(settings.output, new, names):
            calibration["notes"].append(f"Removed, since they are of an earlier evaluation: {', '.join(removed)}.")
        _draw(new / files[1].name, calibration)
        write_text(new / files[0].name, json.dumps(calibration, indent=2) + "\n")
    return CalibrateResult(calibration, [*files, *_keep(snapshot, fitted, calibration["threshold"])])


def _scored(settings: Calibrate, folder: Path, progress: Progress) -> tuple[Path, "pd.DataFrame"]:
    """The snapshot, and the frames with uncalibrated scores: from predictions, or by scoring lists, with files in `folder`."""
    named = [_predictions(path) for path in settings.inputs]
    given = [path for path in named if is_predictions(path)]
    if given and (len(given) > 1 or len(named) > 2):
        raise ManifestError("Expected one predictions.csv, optionally with its snapshot; or lists and a snapshot.")
    if given:
        snapshot = evaluated(given[0], [path for path in named if path not in given])
        _check_recipe(snapshot)
        return snapshot, predictions.read(given[0]).frames
    shared = settings.model_dump(include=set(Evaluate.model_fields) - {"seed"})
    scoring = Evaluate(**shared | {"calibration": False, "resamples": 0, "report": False, "output": folder})
    _check_recipe(inputs(scoring.inputs, scoring.runs_dir)[1])
    result = evaluate(scoring, progress)
    return Path(result.metrics["snapshot"]), predictions.read(result.predictions).frames


def _predictions(path: Path) -> Path:
    """The predictions of an evaluation that is given as its folder or another of its files; another path as it is."""
    return folders.csv_of(path) if path.name in folders.FILES or is_file(path / PREDICTIONS) else path


def _check_recipe(snapshot: Path) -> None:
    path = snapshot.parent / recipe.NAME
    if not here(snapshot).is_file():
        raise ModelError(f"{snapshot}: no such snapshot. Give it after the predictions.")
    if snapshot.name not in recipe.read(snapshot).get("snapshots", {}):
        fault = f"does not list {snapshot.name}" if here(path).is_file() else "no such recipe"
        raise ModelError(
            f"{path}: {fault}; a calibration is saved in the recipe that deepfake train writes next to its snapshots."
        )
    check_output(path, folder=False)
    read_export(snapshot)  # its metadata change too
    if is_locked(snapshot.parent):
        raise ModelError(f"{snapshot.parent} is still training. Calibrate when it has finished.")


def _keep(snapshot: Path, fitted: Calibration, threshold: dict[str, Any] | None) -> list[Path]:
    """Save the calibration of this snapshot in the recipe and in the export, together; return the files."""
    _check_recipe(snapshot)  # again, since training may have started during scoring
    known = recipe.read(snapshot)
    known["snapshots"][snapshot.name]["calibration"] = fitted.to_json()
    with replaced(snapshot.parent, last=recipe.NAME) as new:
        recipe.write(new, known)
        exported = restamp(snapshot, threshold["after"] if threshold else None, fitted.to_json(), new)
    return [snapshot.parent / recipe.NAME, *filter(None, [exported])]


def _errors(table: "pd.DataFrame") -> dict[str, dict[str, float]]:
    videos = video_scores(table)
    metrics = {name: figures(rows["label"], rows["score"], 0.5) for name, rows in (("frame", table), ("video", videos))}
    return {name: {error: values[error] for error in CALIBRATION} for name, values in metrics.items()}


def _threshold(
    snapshot: Path, fitted: Calibration, table: "pd.DataFrame", after: "pd.DataFrame"
) -> dict[str, Any] | None:
    """The threshold before and after calibration, and the number of changed predictions; None if the recipe has none."""
    before = recipe.threshold_of(snapshot)
    if before is None:
        return None
    mapped = float(fitted.apply([before])[0])
    levels = {"frames": (table, after), "videos": (video_scores(table), video_scores(after))}
    otherwise = {
        name: int(((old["score"] >= before) != (new["score"] >= mapped)).sum()) for name, (old, new) in levels.items()
    }
    return {"before": before, "after": mapped, "called_otherwise": otherwise}


def _notes(snapshot: Path, table: "pd.DataFrame", calibration: dict[str, Any]) -> list[str]:
    trained, notes = recipe.seen(snapshot, checks.groups(table))["train"], []
    if trained:
        notes.append(
            f"{len(trained)} of {calibration['groups']} groups were trained on, such as {trained[0]}. Scores on training data "
            "are overconfident: calibrate on the validation list."
        )
    if calibration["method"] == "isotonic" and len(table) < FEW:
        notes.append(f"Isotonic regression overfits on {len(table):,} frames: use temperature, which needs fewer.")
    if not calibration["folds"]:
        notes.append(
            "The errors after calibration are measured on the data of the fit. Use --folds to measure them on held-out groups."
        )
    return notes


def _held_out(
    table: "pd.DataFrame", method: Literal["temperature", "isotonic"], folds: int, seed: int
) -> "pd.DataFrame":
    """Cross-validated scores: each frame is calibrated by a map fitted without its group."""
    from sklearn.model_selection import StratifiedGroupKFold

    units = table.groupby(["dataset", "group"], observed=True, sort=False).ngroup().to_numpy()
    if units.max() + 1 < folds:
        raise ManifestError(f"--folds {folds} needs at least {folds} groups; the list has {units.max() + 1}.")
    labels, mapped = table["label"].to_numpy(), table["score"].to_numpy().copy()
    divide = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for rest, part in divide.split(labels, labels, units):
        if not len(part):  # a fold may be empty if there are few groups
            continue
        try:
            fitted = Calibration.fit(labels[rest], table["score"].to_numpy()[rest], method)
        except ManifestError as error:
            raise ManifestError(f"--folds {folds}: without one of the folds, {error} Use fewer folds.") from None
        mapped[part] = fitted.apply(table["score"].to_numpy()[part])
    return table.assign(score=np.clip(mapped, 0, 1))


def _draw(path: Path, calibration: dict[str, Any]) -> None:
    from deepfake_cli.reporting.figures.reliability import reliability_diagram

    method = f"temperature {calibration['temperature']:.3g}" if calibration["method"] == "temperature" else "isotonic"
    titles = {"before": "uncalibrated", "after": f"calibrated: {method}"}
    panels = [
        {"title": title, "bins": calibration["reliability"][when], "errors": calibration[when]["frame"]}
        for when, title in titles.items()
    ]
    reliability_diagram(
        path,
        panels,
        f"{calibration['frames']:,} frames, {calibration['groups']:,} group{'s' * (calibration['groups'] != 1)}; "
        "fitted on the same frames",
    )

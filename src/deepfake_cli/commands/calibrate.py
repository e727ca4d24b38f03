"""``deepfake calibrate``: scores on a validation list to a map in the recipe that makes probabilities of them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from deepfake_cli.commands.evaluate import evaluate, inputs
from deepfake_cli.config import Calibrate, Evaluate
from deepfake_cli.data import checks
from deepfake_cli.errors import ManifestError, ModelError
from deepfake_cli.evaluation.predictions_file import evaluated, is_predictions
from deepfake_cli.metrics import predictions
from deepfake_cli.metrics.calibration import Calibration
from deepfake_cli.metrics.figures import figures
from deepfake_cli.metrics.names import CALIBRATION
from deepfake_cli.metrics.reliability import reliability
from deepfake_cli.metrics.videos import video_scores
from deepfake_cli.runs import recipe
from deepfake_cli.runs.best_onnx import restamp
from deepfake_cli.runs.listing import is_locked
from deepfake_cli.storage.files import write_text
from deepfake_cli.storage.remote import here

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int], None]
FEW = 1000  # rows, below which a staircase follows chance (Niculescu-Mizil and Caruana, ICML 2005, figure 8)


@dataclass
class CalibrateResult:
    """What `calibrate` found.

    Attributes:
        found: the map, and the errors before and after, as in ``calibration.json``.
        files: what it wrote.
    """

    found: dict[str, Any]
    files: list[Path]


def calibrate(settings: Calibrate, progress: Progress = lambda done, total: None) -> CalibrateResult:
    """Fit a calibration, draw what it mends, and keep it in the recipe beside the snapshot.

    Args:
        settings: see `deepfake_cli.config.Calibrate`.
        progress: called with how many of how many frames are scored.

    Raises:
        ManifestError: the list or the predictions can't be used, hold one class only, or their scores are all equal.
        ModelError: there is no snapshot, or no recipe that knows it, or training goes on beside it.
    """
    snapshot, table = _scored(settings, progress)
    fitted = Calibration.fit(table["label"], table["score"], settings.method)
    after = table.assign(score=fitted.apply(table["score"]))
    found: dict[str, Any] = {
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
    found["notes"] = [*filter(None, [fitted.note()]), *_notes(snapshot, table, found)]
    if settings.folds:
        found["cross_validated"] = _errors(_held_out(table, settings.method, settings.folds, settings.seed))
    files = [settings.output / name for name in ("calibration.json", "reliability.png")]
    write_text(files[0], json.dumps(found, indent=2) + "\n")
    _draw(files[1], found)
    _keep(snapshot, fitted)
    threshold = found["threshold"] and found["threshold"]["after"]
    exported = restamp(snapshot, threshold, fitted.to_json())
    return CalibrateResult(found, [*files, snapshot.parent / recipe.NAME, *filter(None, [exported])])


def _scored(settings: Calibrate, progress: Progress) -> tuple[Path, "pd.DataFrame"]:
    """The snapshot, and the frames with its scores as they are: from predictions, or from lists that it scores now."""
    given = [path for path in settings.inputs if is_predictions(path)]
    if given and (len(given) > 1 or len(settings.inputs) > 2):
        raise ManifestError("calibrate takes one predictions.csv, with its snapshot at most; or lists and a snapshot.")
    if given:
        snapshot = evaluated(given[0], [path for path in settings.inputs if path not in given])
        _check_recipe(snapshot)
        return snapshot, predictions.read(given[0]).frames
    shared = settings.model_dump(include=set(Evaluate.model_fields) - {"seed"})
    asked = Evaluate(**shared | {"calibration": False, "resamples": 0, "report": False})
    _check_recipe(inputs(asked.inputs, asked.runs_dir)[1])
    result = evaluate(asked, progress)
    return Path(result.metrics["snapshot"]), predictions.read(result.predictions).frames


def _check_recipe(snapshot: Path) -> None:
    place = snapshot.parent / recipe.NAME
    if not here(snapshot).is_file():
        raise ModelError(f"{snapshot}: no such snapshot. Name it beside the predictions.")
    if snapshot.name not in recipe.read(snapshot).get("snapshots", {}):
        fault = f"knows nothing of {snapshot.name}" if here(place).is_file() else "no such recipe"
        raise ModelError(
            f"{place}: {fault}; a calibration is kept in the recipe that deepfake train leaves beside its snapshots."
        )
    if is_locked(snapshot.parent):
        raise ModelError(f"A process trains in {snapshot.parent}, and writes its recipe. Calibrate once it has ended.")


def _keep(snapshot: Path, fitted: Calibration) -> None:
    """Write the map beside the threshold of this snapshot."""
    _check_recipe(snapshot)  # scoring takes a while: training may have begun
    known = recipe.read(snapshot)
    known["snapshots"][snapshot.name]["calibration"] = fitted.to_json()
    recipe.write(snapshot.parent, known)


def _errors(table: "pd.DataFrame") -> dict[str, dict[str, float]]:
    videos = video_scores(table)
    found = {name: figures(rows["label"], rows["score"], 0.5) for name, rows in (("frame", table), ("video", videos))}
    return {name: {error: figures[error] for error in CALIBRATION} for name, figures in found.items()}


def _threshold(
    snapshot: Path, fitted: Calibration, table: "pd.DataFrame", after: "pd.DataFrame"
) -> dict[str, Any] | None:
    """The threshold on either side of the map, and how many are called otherwise there; None if the recipe has none."""
    before = recipe.threshold_of(snapshot)
    if before is None:
        return None
    mapped = float(fitted.apply([before])[0])
    levels = {"frames": (table, after), "videos": (video_scores(table), video_scores(after))}
    otherwise = {
        name: int(((old["score"] >= before) != (new["score"] >= mapped)).sum()) for name, (old, new) in levels.items()
    }
    return {"before": before, "after": mapped, "called_otherwise": otherwise}


def _notes(snapshot: Path, table: "pd.DataFrame", found: dict[str, Any]) -> list[str]:
    trained, notes = recipe.seen(snapshot, checks.groups(table))["train"], []
    if trained:
        notes.append(
            f"{len(trained)} of {found['groups']} groups were trained on, such as {trained[0]}: scores there are surer than "
            "elsewhere, and so will the map leave them. Fit it on the validation list."
        )
    if found["method"] == "isotonic" and len(table) < FEW:
        notes.append(f"A staircase from {len(table):,} frames follows chance: temperature asks for fewer.")
    if not found["folds"]:
        notes.append("After is measured where the map was fitted: --folds measures it on groups that it has not seen.")
    return notes


def _held_out(
    table: "pd.DataFrame", method: Literal["temperature", "isotonic"], folds: int, seed: int
) -> "pd.DataFrame":
    """The frames with the scores of maps that were fitted without their groups."""
    from sklearn.model_selection import StratifiedGroupKFold

    units = table.groupby(["dataset", "group"], observed=True, sort=False).ngroup().to_numpy()
    if units.max() + 1 < folds:
        raise ManifestError(f"--folds {folds} wants as many groups; the list has {units.max() + 1}.")
    labels, mapped = table["label"].to_numpy(), table["score"].to_numpy().copy()
    divide = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for rest, part in divide.split(labels, labels, units):
        if not len(part):  # it may leave one of few groups empty
            continue
        try:
            fitted = Calibration.fit(labels[rest], table["score"].to_numpy()[rest], method)
        except ManifestError as error:
            raise ManifestError(f"--folds {folds}: without the groups of one of them, {error} Try fewer.") from None
        mapped[part] = fitted.apply(table["score"].to_numpy()[part])
    return table.assign(score=np.clip(mapped, 0, 1))


def _draw(path: Path, found: dict[str, Any]) -> None:
    from deepfake_cli.reporting.figures.reliability import reliability_diagram

    how = f"temperature {found['temperature']:.3g}" if found["method"] == "temperature" else "isotonic"
    titles = {"before": "as the detector scores", "after": f"calibrated: {how}"}
    panels = [
        {"title": title, "bins": found["reliability"][when], "errors": found[when]["frame"]}
        for when, title in titles.items()
    ]
    reliability_diagram(
        path,
        panels,
        f"{found['frames']:,} frames, {found['groups']:,} group{'s' * (found['groups'] != 1)}; fitted on the same",
    )

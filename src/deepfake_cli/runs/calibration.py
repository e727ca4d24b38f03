"""The calibration of a snapshot: in the recipe beside it, or in the metadata of an export."""

from pathlib import Path
from typing import Any

from deepfake_cli.errors import ModelError
from deepfake_cli.inference.runtimes.metadata import ONNX
from deepfake_cli.metrics.calibration import Calibration
from deepfake_cli.runs import recipe
from deepfake_cli.runs.best_onnx import read_export, restamp, traits_of
from deepfake_cli.runs.files import BEST, BEST_ONNX
from deepfake_cli.runs.folder import is_locked
from deepfake_cli.storage.disk import check_output
from deepfake_cli.storage.downloads import is_there
from deepfake_cli.storage.file_sets import replaced

UNCALIBRATED = {"conditions": "error rates by condition", "likelihood_ratio": "likelihood ratios"}  # of other scores


def check_calibratable(snapshot: Path) -> None:
    """Check that a calibration of a snapshot or an export can be saved.

    Raises:
        ModelError: it is missing, in no recipe, still training, or an export that is calibrated already.
        OSError: the recipe or the export cannot be written.
    """
    path = snapshot.parent / recipe.NAME
    if not is_there(snapshot):
        raise ModelError(f"{snapshot}: no such snapshot. Give it after the predictions.")
    if snapshot.suffix.lower() == ONNX:
        return _check_export(snapshot)
    if snapshot.name not in recipe.read(snapshot).get("snapshots", {}):
        fault = f"does not list {snapshot.name}" if is_there(path) else "no such recipe"
        raise ModelError(
            f"{path}: {fault}; a calibration is saved in the recipe that deepfake train writes next to its snapshots."
        )
    check_output(path, folder=False)
    read_export(snapshot)  # its metadata change too
    if is_locked(snapshot.parent):
        raise ModelError(f"{snapshot.parent} is still training. Calibrate when it has finished.")
    return None


def _check_export(path: Path) -> None:
    """Check that an exported detector can be calibrated: it has no calibration, and no snapshot that it would differ from."""
    if path.name == BEST_ONNX and is_there(path.with_name(BEST)):
        raise ModelError(f"{path} has the calibration of the snapshot beside it: give {path.with_name(BEST)}.")
    traits = traits_of(path)
    if traits and traits.calibration:
        raise ModelError(f"{path} is calibrated already. Export it again, and calibrate the new file.")
    check_output(path, folder=False)


def save_calibration(snapshot: Path, fitted: Calibration, threshold: dict[str, Any] | None) -> list[Path]:
    """Save the calibration of this snapshot in the recipe and in the export, together; return the files."""
    check_calibratable(snapshot)  # again, since training may have started during scoring
    moved = {"threshold": threshold["after"]} if threshold else {}
    changed = {"calibration": fitted.to_json(), **moved, **dict.fromkeys(UNCALIBRATED)}
    if snapshot.suffix.lower() == ONNX:
        with replaced(snapshot.parent, last=snapshot.name) as new:
            restamp(snapshot, new, **changed)
        return [snapshot]
    known = recipe.read(snapshot)
    entry = known["snapshots"][snapshot.name]
    entry["calibration"] = fitted.to_json()
    for name in UNCALIBRATED:  # they were of other scores
        entry.pop(name, None)
    with replaced(snapshot.parent, last=recipe.NAME) as new:
        recipe.write(new, known)
        exported = restamp(snapshot, new, **changed)
    return [snapshot.parent / recipe.NAME, *filter(None, [exported])]

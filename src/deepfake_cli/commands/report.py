"""``deepfake report``: write an evaluation as an HTML page."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from deepfake_cli.config import EVALUATION, RUNS, Evaluate, Report
from deepfake_cli.config.command_line import command
from deepfake_cli.errors import ManifestError
from deepfake_cli.evaluation import folders
from deepfake_cli.evaluation.scored_frames import Judged
from deepfake_cli.reporting.folder import RECIPE, from_folder, save_maps
from deepfake_cli.reporting.worst_faces import MOST, worst
from deepfake_cli.runs import recipe
from deepfake_cli.storage.files import elsewhere, write_text
from deepfake_cli.storage.hashes import sha256


def report(settings: Report) -> Path:
    """Write the page of an evaluation from its files, and return its path.

    Args:
        settings: see `deepfake_cli.config.Report`.

    Raises:
        ManifestError: there is no evaluation, or its ``metrics.json`` or ``predictions.csv`` is missing or invalid.
    """
    folder = folders.find(settings.evaluation) if settings.evaluation else folders.newest_of_all()
    if folder is None:
        raise ManifestError(f"No evaluation in {RUNS} or {EVALUATION}. Write one with deepfake evaluate.")
    return from_folder(folder, settings.output, audit=settings.audit, most_faces=settings.faces)


def of_evaluation(settings: Evaluate, scored: Judged, folder: Path, output: Path) -> None:
    """Save heat maps and the recipe of the page, and write it; needs metrics.json and predictions.csv.

    Args:
        settings: of the evaluation.
        scored: the scored frames; with a detector, the page has heat maps of the worst errors.
        folder: of the new files, until they replace those in `output`.
        output: the folder of the evaluation.
    """
    snapshot = Path(scored.snapshot) if scored.snapshot and scored.detector else None
    save_maps(folder, _maps(scored))  # also if empty
    write_text(folder / RECIPE, json.dumps(_recipe(settings, snapshot), indent=2, default=str) + "\n")
    from_folder(folder, beside=output)


def _maps(scored: Judged) -> dict[str, np.ndarray]:
    """Heat maps of the worst errors, by path; empty without a detector."""
    if scored.detector is None:
        return {}
    paths = [
        path for path in worst(scored.frames, scored.threshold, MOST)["path"] if elsewhere(path) or Path(path).is_file()
    ]
    return dict(zip(paths, scored.detector.heat_maps(paths, scored.threshold), strict=False)) if paths else {}


def _recipe(settings: Evaluate, snapshot: Path | None) -> dict[str, Any]:
    """How to repeat the evaluation: command, seed, versions, hash of the snapshot."""
    record = {
        "command": command("evaluate", settings),
        "seed": settings.seed,
        "settings": settings.model_dump(mode="json"),
        "versions": recipe.versions(),
    }
    if snapshot is None:
        return record
    return record | {"snapshot": sha256(snapshot), "trained": recipe.read(snapshot).get("settings", {})}

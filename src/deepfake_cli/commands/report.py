"""``deepfake report``: an evaluation as one page; and what `evaluate` keeps for that page."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from deepfake_cli.config import Evaluate, Report
from deepfake_cli.config.command_line import command
from deepfake_cli.evaluation.scored_frames import Judged
from deepfake_cli.reporting.folder import RECIPE, from_folder, save_maps
from deepfake_cli.reporting.worst_faces import MOST, worst
from deepfake_cli.runs import recipe
from deepfake_cli.storage.files import elsewhere, write_text
from deepfake_cli.storage.remote import here


def report(settings: Report) -> Path:
    """Write the page of an evaluation from its files, and return where it is.

    Args:
        settings: see `deepfake_cli.config.Report`.

    Raises:
        ManifestError: ``metrics.json`` or ``predictions.csv`` is missing, or holds something else.
    """
    return from_folder(settings.evaluation, settings.output, audit=settings.audit, most_faces=settings.faces)


def of_evaluation(settings: Evaluate, scored: Judged) -> Path:
    """Keep what the page needs beyond the figures, and write it, once metrics.json and predictions.csv are there.

    Args:
        settings: of the evaluation.
        scored: what it measured; with its detector, the page has heat maps of the frames that are most wrong.

    Returns:
        Where the page is.
    """
    snapshot = Path(scored.snapshot) if scored.snapshot and scored.detector else None
    save_maps(settings.output, _maps(scored))  # without any, too: an older file's would be another's
    write_text(settings.output / RECIPE, json.dumps(_recipe(settings, snapshot), indent=2, default=str) + "\n")
    return from_folder(settings.output)


def _maps(scored: Judged) -> dict[str, np.ndarray]:
    """Heat maps of the most wrong frames, by path; none where no detector is at hand, or it has no map of places."""
    if scored.detector is None:
        return {}
    paths = [
        path for path in worst(scored.frames, scored.threshold, MOST)["path"] if elsewhere(path) or Path(path).is_file()
    ]
    return dict(zip(paths, scored.detector.heat_maps(paths, scored.threshold), strict=False)) if paths else {}


def _recipe(settings: Evaluate, snapshot: Path | None) -> dict[str, Any]:
    """What repeats the evaluation; the hash is of the same kind as the lists'."""
    found = {"command": command("evaluate", settings), "seed": settings.seed, "versions": recipe.versions()}
    if snapshot is None:
        return found
    with here(snapshot).open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    return found | {"snapshot": digest, "trained": recipe.read(snapshot).get("settings", {})}

"""``recipe.json``, beside the snapshots: how they were trained, so that a run can be repeated and evaluated without flags."""

import json
import re
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from deepfake_cli.errors import ModelError
from deepfake_cli.runs.schema import Recipe, RunRecipe
from deepfake_cli.storage.file_sets import finish
from deepfake_cli.storage.files import write_text
from deepfake_cli.storage.hashes import sha256
from deepfake_cli.storage.json_files import read_json

NAME = "recipe.json"
MEND = "Restore the file as deepfake train wrote it, or train again."
PACKAGES = ("deepfake-cli", "tensorflow", "keras", "numpy", "opencv-python-headless")


def versions() -> dict[str, str]:
    """Versions of the packages that affect a result; packages that are not installed are left out."""
    installed = {}
    for package in PACKAGES:
        try:
            installed[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return installed


def fingerprint(lists: Iterable[Path]) -> dict[str, str]:
    """The SHA-256 of each list, by path, in hexadecimal digits."""
    return {str(path): sha256(path) for path in lists}


def write(folder: Path, recipe: dict[str, Any]) -> None:
    """Write the recipe beside the snapshots, completely or not at all."""
    write_text(folder / NAME, json.dumps(recipe, indent=2, default=str) + "\n")


def read(snapshot: Path) -> dict[str, Any]:
    """Read the recipe beside a snapshot; empty if there is none.

    Raises:
        ModelError: it cannot be read, or is not a recipe.
    """
    finish(snapshot.parent)  # of a killed `calibrate`
    return read_json(snapshot.parent / NAME, Recipe, ModelError, MEND, required=False) or {}


def of_run(folder: Path) -> dict[str, Any]:
    """Read the recipe of a run.

    Raises:
        ModelError: it is missing, cannot be read, or is not the recipe of a run.
    """
    finish(folder)
    return read_json(folder / NAME, RunRecipe, ModelError, MEND)


def epoch_of(snapshot: Path) -> int | None:
    """Number of epochs a snapshot was trained, from its recipe or its name; None if neither tells."""
    entry = read(snapshot).get("snapshots", {}).get(snapshot.name)
    if entry:
        return int(entry["epoch"])
    numbers = re.findall(r"_(\d+)$", snapshot.stem)
    return int(numbers[0]) if numbers else None


def threshold_of(snapshot: Path) -> float | None:
    """The threshold chosen on validation for a snapshot; None if its recipe has none."""
    value = read(snapshot).get("snapshots", {}).get(snapshot.name, {}).get("threshold")
    return None if value is None else float(value)


def calibration_of(snapshot: Path) -> dict[str, Any] | None:
    """The calibration fitted for a snapshot, as `deepfake_cli.metrics.calibration` reads it; None if its recipe has none."""
    value = read(snapshot).get("snapshots", {}).get(snapshot.name, {}).get("calibration")
    return value if isinstance(value, dict) else None


def seen(snapshot: Path, groups: Iterable[str]) -> dict[str, list[str]]:
    """Which of these groups, as ``dataset/group``, are in the lists ``train`` and ``validation`` of a snapshot."""
    recorded = read(snapshot).get("groups", {})
    return {part: sorted(set(groups) & set(recorded.get(part, []))) for part in ("train", "validation")}


def pool_of(snapshot: Path) -> str | None:
    """The pooling of frame scores chosen on validation for a snapshot or its run; None if its recipe has none."""
    recipe = read(snapshot)
    value = recipe.get("snapshots", {}).get(snapshot.name, {}).get("pool") or recipe.get("pool")
    return None if value is None else str(value)

"""``recipe.json``, beside the snapshots: how they were made, so that a run can be repeated and evaluated without flags."""

import hashlib
import json
import re
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from deepfake_cli.storage.files import read_bytes, write_text

NAME = "recipe.json"
PACKAGES = ("deepfake-cli", "tensorflow", "keras", "numpy", "opencv-python-headless")


def versions() -> dict[str, str]:
    """The versions of the packages that shape a result; those that are not installed are left out."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def fingerprint(lists: Iterable[Path]) -> dict[str, str]:
    """A hash, BLAKE2b of 16 bytes in hex, of each list's content."""
    return {str(path): hashlib.blake2b(read_bytes(path), digest_size=16).hexdigest() for path in lists}


def write(folder: Path, recipe: dict[str, Any]) -> None:
    """Write the recipe beside the snapshots, whole or not at all."""
    write_text(folder / NAME, json.dumps(recipe, indent=2, default=str) + "\n")


def read(snapshot: Path) -> dict[str, Any]:
    """Read the recipe beside a snapshot; empty if there is none or it can't be read."""
    try:
        recipe = json.loads(read_bytes(snapshot.parent / NAME))
        return recipe if isinstance(recipe, dict) else {}
    except (OSError, ValueError):
        return {}


def epoch_of(snapshot: Path) -> int | None:
    """How many epochs a snapshot was trained: from its recipe, or from its name; None if neither says."""
    known = read(snapshot).get("snapshots", {}).get(snapshot.name)
    if known:
        return int(known["epoch"])
    numbers = re.findall(r"_(\d+)$", snapshot.stem)
    return int(numbers[0]) if numbers else None


def threshold_of(snapshot: Path) -> float | None:
    """The threshold chosen on validation for a snapshot; None if its recipe knows none."""
    value = read(snapshot).get("snapshots", {}).get(snapshot.name, {}).get("threshold")
    return None if value is None else float(value)


def calibration_of(snapshot: Path) -> dict[str, Any] | None:
    """The calibration fitted for a snapshot, as `deepfake_cli.metrics.calibration` reads it; None if its recipe knows none."""
    value = read(snapshot).get("snapshots", {}).get(snapshot.name, {}).get("calibration")
    return value if isinstance(value, dict) else None


def seen(snapshot: Path, groups: Iterable[str]) -> dict[str, list[str]]:
    """Which of these groups, as ``dataset/group``, a snapshot's ``train`` and ``validation`` lists held."""
    known = read(snapshot).get("groups", {})
    return {part: sorted(set(groups) & set(known.get(part, []))) for part in ("train", "validation")}


def pool_of(snapshot: Path) -> str | None:
    """How video scores are pooled, as chosen on validation for a snapshot or its run; None if its recipe doesn't say."""
    recipe = read(snapshot)
    value = recipe.get("snapshots", {}).get(snapshot.name, {}).get("pool") or recipe.get("pool")
    return None if value is None else str(value)

"""The rows and columns of ``deepfake matrix``: lists, runs, and their names."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepfake_cli.assets import STARTER
from deepfake_cli.config import Matrix, Train, resolve
from deepfake_cli.data import manifest
from deepfake_cli.errors import ConfigError, ManifestError, ModelError
from deepfake_cli.inference.runtimes.metadata import ONNX
from deepfake_cli.runs import recipe
from deepfake_cli.runs.files import BEST, KERAS
from deepfake_cli.runs.find import find
from deepfake_cli.runs.resume import FREE
from deepfake_cli.storage.downloads import is_there
from deepfake_cli.storage.near import hint

# settings that do not change the name of a run
NAMELESS = {*FREE, "run", "snapshot_path", "train_csv", "val_annotations", "seed"}


@dataclass(frozen=True)
class Lists:
    """One list, or several joined, with a name."""

    name: str
    paths: tuple[Path, ...]


def named_lists(given: Sequence[str]) -> list[Lists]:
    """Parse ``NAME=A.csv,B.csv``; the default name is the data sets in the lists, or their paths if that is not unique.

    Raises:
        ManifestError: a list is missing or cannot be read.
        ConfigError: a name is used twice.
    """
    parts = [_named(text) for text in given]
    lists = [tuple(Path(path).expanduser() for path in text.split(",")) for _, text in parts]
    names = [name or _datasets(paths) for (name, _), paths in zip(parts, lists, strict=True)]
    often = Counter(names)
    own = [
        text if often[name] > 1 and not given_name else name
        for name, (given_name, text) in zip(names, parts, strict=True)
    ]
    _check_unique(own)
    return [Lists(name, paths) for name, paths in zip(own, lists, strict=True)]


def named_snapshots(given: Sequence[str], runs_dir: Path) -> list[tuple[str, Path]]:
    """Names and files of the given snapshots; the default name is that of the run, if unique.

    Raises:
        ModelError: there is no such run or snapshot.
        ConfigError: a name is used twice.
    """
    rows = []
    for text in given:
        name, place = _named(text)
        path = _snapshot(place, runs_dir)
        if not is_there(path):
            raise ModelError(f"{path}: no such snapshot.{hint(path)} List the runs with deepfake runs.")
        rows.append((name, place, path))
    short = [path.parent.name if path.name == BEST else _short(place) for _, place, path in rows]
    names = [
        name or (default if short.count(default) == 1 else place)
        for default, (name, place, _) in zip(short, rows, strict=True)
    ]
    _check_unique(names)
    return [(name, path) for name, (_, _, path) in zip(names, rows, strict=True)]


def _snapshot(place: str, runs_dir: Path) -> Path:
    """The file of a snapshot, of an exported detector, of the one in the package, or of a run."""
    if place == "starter":
        return STARTER
    path = Path(place).expanduser()
    return path if path.suffix.lower() in (*KERAS, ONNX) else find(place, runs_dir) / BEST


def _short(place: str) -> str:
    return Path(place).stem if Path(place).suffix.lower() == ONNX else place


def trainings(settings: Matrix, rows: Sequence[Lists]) -> list[list[Train]]:
    """The settings of all trainings: per row, one per seed.

    The name of a run has a hash of its settings and lists. So the same matrix finds its finished runs, and other settings
    make new runs.

    Raises:
        ConfigError: the config file cannot be read, or sets a key that matrix sets itself.
        ManifestError: a list is missing.
    """
    config = settings.train_config
    given = resolve(Train, {}, config)[0].model_dump(exclude_unset=True)
    fixed = sorted({"train_csv", "val_annotations", "seed", "run", "snapshot_path", "resume"} & set(given))
    if fixed:
        raise ConfigError(f"{config}: train.{fixed[0]}: remove it; matrix sets it for each run.")
    validations = [Path(text).expanduser() for text in settings.val] or [_validation(row) for row in rows]
    return [
        [_training(settings, given, row, validation, seed) for seed in range(settings.seeds)]
        for row, validation in zip(rows, validations, strict=True)
    ]


def _training(settings: Matrix, given: dict[str, Any], row: Lists, validation: Path, seed: int) -> Train:
    for path in (*row.paths, validation):
        if not is_there(path):
            raise ManifestError(
                f"{path}: no such list.{hint(path)} Create it with deepfake make-csv; give validation lists with --val."
            )
    device = {name: getattr(settings, name) for name in ("gpu", "multi_gpu", "multi_gpu_force", "runs_dir")}
    own = {"train_csv": list(row.paths), "val_annotations": validation, "seed": seed}
    workers = {"workers": settings.workers} if settings.workers else {}
    training = Train(**given | workers | device | own | {"onnx": False})
    shaping = {name: value for name, value in training.model_dump(mode="json").items() if name not in NAMELESS}
    content = [json.dumps(shaping, sort_keys=True), *recipe.fingerprint([*row.paths, validation]).values()]
    mark = hashlib.sha256("\n".join(content).encode()).hexdigest()[:8]
    return training.model_copy(update={"resume_if_there": True, "run": f"matrix-{plain(row.name)}-{mark}-seed{seed}"})


def _validation(row: Lists) -> Path:
    if len(row.paths) > 1:
        raise ConfigError(f"--train {row.name} joins several lists: give the list to validate on with --val.")
    return row.paths[0].parent.parent / "val" / "validation.csv"


def _named(text: str) -> tuple[str, str]:
    """Split ``NAME=REST``; the name may be empty."""
    name, equals, rest = text.partition("=")
    return (name.strip(), rest) if equals and not Path(text).exists() else ("", text)


def _datasets(paths: Sequence[Path]) -> str:
    datasets = manifest.read_lists(paths)["dataset"].unique()
    return "+".join(sorted(filter(None, map(str, datasets)))) or ",".join(map(str, paths))


def plain(name: str) -> str:
    """A name that is valid as a folder name."""
    return "".join(letter if letter.isalnum() or letter in "-+." else "_" for letter in name)[-40:].lstrip(".")


def _check_unique(names: Sequence[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ConfigError(f"{twice[0]} is given twice; set different names with NAME=PATH.")

"""The rows and columns of a matrix: lists to train and test on, runs, and what each is called."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepfake_cli.config import Matrix, Train, resolve
from deepfake_cli.data import manifest
from deepfake_cli.errors import ConfigError, ManifestError, ModelError
from deepfake_cli.runs import recipe
from deepfake_cli.runs.listing import BEST, find
from deepfake_cli.runs.resume import FREE
from deepfake_cli.storage.remote import here

NAMELESS = {*FREE, "run", "snapshot_path", "train_csv", "val_annotations", "seed"}  # beside lists and seed


@dataclass(frozen=True)
class Lists:
    """One list, or several as one, and what they are called."""

    name: str
    paths: tuple[Path, ...]


def named_lists(given: Sequence[str]) -> list[Lists]:
    """Read ``NAME=A.csv,B.csv``; without a name it is the data sets in the lists, or their paths if that is not unique.

    Raises:
        ManifestError: a list is missing or can't be read.
        ConfigError: a name is given twice.
    """
    parts = [_named(text) for text in given]
    lists = [tuple(map(Path, text.split(","))) for _, text in parts]
    names = [name or _datasets(paths) for (name, _), paths in zip(parts, lists, strict=True)]
    often = Counter(names)
    own = [text if often[name] > 1 and not said else name for name, (said, text) in zip(names, parts, strict=True)]
    _check_unique(own)
    return [Lists(name, paths) for name, paths in zip(own, lists, strict=True)]


def named_snapshots(given: Sequence[str], runs_dir: Path) -> list[tuple[str, Path]]:
    """The names and the files of the snapshots that were given; without a name it is the run's, if that is unique.

    Raises:
        ModelError: there is no such run or snapshot.
        ConfigError: a name is given twice.
    """
    rows = []
    for text in given:
        name, place = _named(text)
        path = Path(place) if Path(place).suffix in (".keras", ".h5") else find(place, runs_dir) / BEST
        if not here(path).is_file():
            raise ModelError(f"{path}: no such snapshot. deepfake runs lists the runs there are.")
        rows.append((name, place, path))
    short = [path.parent.name if path.name == BEST else place for _, place, path in rows]
    names = [
        name or (each if short.count(each) == 1 else place) for each, (name, place, _) in zip(short, rows, strict=True)
    ]
    _check_unique(names)
    return [(name, path) for name, (_, _, path) in zip(names, rows, strict=True)]


def trainings(settings: Matrix, rows: Sequence[Lists]) -> list[list[Train]]:
    """What to train: for each row a training of each seed.

    A run's name holds a hash of its settings and of what its lists say: a matrix that is made again finds the runs that it
    trained, and one of other settings trains others.

    Raises:
        ConfigError: the file of settings can't be read, or says which lists to take.
        ManifestError: a list is missing.
    """
    config = settings.train_config
    given = resolve(Train, {}, config)[0].model_dump(exclude_unset=True)
    fixed = sorted({"train_csv", "val_annotations", "seed", "run", "snapshot_path", "resume"} & set(given))
    if fixed:
        raise ConfigError(f"{config}: train.{fixed[0]}: leave it out; matrix says that itself for each run.")
    validations = [Path(text) for text in settings.val] or [_validation(row) for row in rows]
    return [
        [_training(settings, given, row, validation, seed) for seed in range(settings.seeds)]
        for row, validation in zip(rows, validations, strict=True)
    ]


def _training(settings: Matrix, given: dict[str, Any], row: Lists, validation: Path, seed: int) -> Train:
    for path in (*row.paths, validation):
        if not here(path).is_file():
            raise ManifestError(f"{path}: no such list. deepfake make-csv writes one; --val names it for each --train.")
    device = {name: getattr(settings, name) for name in ("gpu", "multi_gpu", "multi_gpu_force", "runs_dir")}
    own = {"train_csv": list(row.paths), "val_annotations": validation, "seed": seed}
    workers = {"workers": settings.workers} if settings.workers else {}
    asked = Train(**given | workers | device | own | {"onnx": False})
    shaping = {name: value for name, value in asked.model_dump(mode="json").items() if name not in NAMELESS}
    content = [json.dumps(shaping, sort_keys=True), *recipe.fingerprint([*row.paths, validation]).values()]
    mark = hashlib.blake2b("\n".join(content).encode(), digest_size=4).hexdigest()
    return asked.model_copy(update={"resume_if_there": True, "run": f"matrix-{plain(row.name)}-{mark}-seed{seed}"})


def _validation(row: Lists) -> Path:
    if len(row.paths) > 1:
        raise ConfigError(f"--train {row.name} joins several lists: say with --val which to validate on.")
    return row.paths[0].parent.parent / "val" / "validation.csv"


def _named(text: str) -> tuple[str, str]:
    """The name, which may be empty, and the rest."""
    name, equals, rest = text.partition("=")
    return (name.strip(), rest) if equals and not Path(text).exists() else ("", text)


def _datasets(paths: Sequence[Path]) -> str:
    found = manifest.read_lists(paths)["dataset"].unique()
    return "+".join(sorted(filter(None, map(str, found)))) or ",".join(map(str, paths))


def plain(name: str) -> str:
    """A name that a folder may have."""
    return "".join(letter if letter.isalnum() or letter in "-+." else "_" for letter in name)[-40:].lstrip(".")


def _check_unique(names: Sequence[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ConfigError(f"{twice[0]} is given twice; name each as NAME=PATH.")

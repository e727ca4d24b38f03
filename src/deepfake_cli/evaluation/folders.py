"""The folders of evaluations: in the run of the detector, one for each, so that none replaces another."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, count
from pathlib import Path

from deepfake_cli.config import EVALUATION, RUNS
from deepfake_cli.errors import ConfigError, DeepfakeError, ManifestError
from deepfake_cli.inference.runtimes.metadata import ONNX
from deepfake_cli.reporting.folder import METRICS, PAGE, PREDICTIONS
from deepfake_cli.runs import recipe
from deepfake_cli.runs.files import BEST, EVALUATIONS
from deepfake_cli.storage.downloads import is_there
from deepfake_cli.storage.folders import exists, is_file, is_folder
from deepfake_cli.storage.json_files import Part, Text, read_json
from deepfake_cli.storage.near import hint
from deepfake_cli.storage.urls import is_remote

FILES = (METRICS, PREDICTIONS, PAGE)  # that stand for the folder they are in
SNAPSHOTS = (".keras", ONNX)  # that stand for their run
LONGEST = 60  # letters of a folder's name


class Of(Part):
    """What was evaluated, in ``metrics.json``."""

    snapshot: Text | None = None
    lists: dict[str, str] = {}


def default(snapshot: Path | None, lists: Sequence[Path]) -> Path:
    """Where an evaluation goes by default: ``evaluations/LIST`` in the run of the snapshot, else ``evaluation`` here."""
    if snapshot is None or not is_there(snapshot.parent / recipe.NAME):
        return EVALUATION
    return snapshot.parent / EVALUATIONS / "+".join(dict.fromkeys(path.stem for path in lists))[:LONGEST]


@contextmanager
def new(folder: Path) -> Iterator[Path]:
    """Yield `folder` or, if there is something already, ``folder-2`` and so on; it is empty, and goes if the block fails."""
    for candidate in chain([folder], (folder.with_name(f"{folder.name}-{number}") for number in count(2))):
        if is_remote(candidate):
            if not is_there(candidate / METRICS):
                break
            continue
        with suppress(FileExistsError):
            candidate.mkdir(parents=True)
            break
    try:
        yield candidate
    except BaseException:
        if not is_remote(candidate):
            with suppress(OSError):
                candidate.rmdir()
        raise


def check_free(folder: Path, snapshot: Path | None, lists: Sequence[Path]) -> None:
    """Check that a folder holds no evaluation, or one of the same snapshot on the same lists.

    Raises:
        ConfigError: it holds another one.
    """
    try:
        found = read_json(folder / METRICS, Of, ManifestError, "", required=False)
    except DeepfakeError:  # damaged: nothing to keep
        return
    if found is None or _names(found.get("snapshot"), found.get("lists", {})) == _names(snapshot, lists):
        return
    of = " on ".join(filter(None, (found.get("snapshot"), ", ".join(found.get("lists", {})))))
    raise ConfigError(
        f"--output {folder}: holds another evaluation, of {of}. Choose another folder, or replace it with --overwrite."
    )


def _names(snapshot: Path | str | None, lists: Iterable[Path | str]) -> tuple[Path | None, set[Path]]:
    """The paths, however they are spelled."""
    return Path(snapshot).absolute() if snapshot else None, {Path(path).absolute() for path in lists}


def find(path: Path) -> Path:
    """The folder of an evaluation that is given as the folder or a file in it; of a run, its name or its snapshot the newest.

    Raises:
        ManifestError: there is none.
    """
    path = path if exists(path) or is_remote(path) else RUNS / path if is_folder(RUNS / path) else path
    if path.name in FILES:
        return path.parent
    if is_remote(path) or any(exists(path / name) for name in FILES):
        return path
    if path.suffix in SNAPSHOTS:
        return find(path.parent)
    if latest := newest(path / EVALUATIONS) or newest(path):
        return latest
    if exists(path / BEST):
        raise ManifestError(f"{path}: the run has no evaluation yet. Run deepfake evaluate LIST {path / BEST}")
    fault = "no evaluation in it" if exists(path) else "no such file or folder"
    raise ManifestError(f"{path}: {fault}.{hint(path)} Write an evaluation with deepfake evaluate.")


def csv_of(path: Path) -> Path:
    """The CSV of scores: that of an evaluation, see `find`; another file is one itself.

    Raises:
        ManifestError: there is none.
    """
    is_own = path.suffix == ".csv" or (is_file(path) and path.name not in FILES and path.suffix not in SNAPSHOTS)
    return path if is_own else find(path) / PREDICTIONS


def newest(folder: Path) -> Path | None:
    """The evaluation in `folder` that was written last; None without one."""
    found = [path for path in folder.glob(f"*/{METRICS}") if path.is_file()] if is_folder(folder) else []
    return max(found, key=lambda path: path.stat().st_mtime).parent if found else None


def newest_of_all(runs: Path = RUNS) -> Path | None:
    """The evaluation that was written last, of those at the default places; None without one."""
    places = [*runs.glob(f"*/{EVALUATIONS}/*/{METRICS}"), *Path().glob(f"{EVALUATION}*/{METRICS}")]
    return max(places, key=lambda path: path.stat().st_mtime).parent if places else None

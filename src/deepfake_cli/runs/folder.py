"""Which folder a run is in, and that one process at a time trains there."""

from datetime import datetime
from itertools import chain, count
from pathlib import Path

from filelock import FileLock, Timeout

from deepfake_cli.config import Train
from deepfake_cli.errors import ConfigError, ModelError
from deepfake_cli.runs import recipe
from deepfake_cli.runs.listing import BEST, LOCK, called
from deepfake_cli.storage.remote import here, is_remote


def named_folder(settings: Train) -> Path | None:
    """The folder that the user names for a run, if any."""
    return settings.snapshot_path or (settings.runs_dir / settings.run if settings.run else None)


def going_on(settings: Train) -> Train:
    """The settings; with ``resume_if_there`` and where the run that they name has begun, those to go on with it."""
    folder = named_folder(settings)
    there = settings.resume_if_there and folder and here(folder / recipe.NAME).is_file()
    return settings.model_copy(update={"resume": str(folder)}) if there else settings


def chosen_folder(settings: Train) -> Path | None:
    """The folder that the user chose for a new run, if any.

    Raises:
        ConfigError: it holds a run already.
    """
    folder = named_folder(settings)
    if folder and here(folder / recipe.NAME).is_file():
        raise ConfigError(
            f"{folder} holds a run already. Go on with it: deepfake train --resume {called(folder)}; or choose another "
            f"{'--snapshot-path' if settings.snapshot_path else '--run'} for a new one."
        )
    return folder


def new_name(model: str) -> str:
    """What a run is called that its user doesn't name."""
    return f"{model.replace(':', '_')}-{datetime.now():%Y%m%d-%H%M%S}"


def new_folder(settings: Train, model: str) -> Path:
    """A folder that isn't there yet, called after the model and the time."""
    name = new_name(model)
    if is_remote(settings.runs_dir):
        return settings.runs_dir / name
    for each in chain([name], (f"{name}-{number}" for number in count(2))):
        try:
            (settings.runs_dir / each).mkdir(parents=True)
            break
        except FileExistsError:
            continue
    return settings.runs_dir / each


def locked(folder: Path) -> FileLock:
    """The folder's lock, taken; the system frees it when the process ends, however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, timeout=1)
    try:
        lock.acquire()
    except Timeout:
        process = recipe.read(folder / BEST).get("process", {})
        who = f"process {process.get('pid')} on {process.get('host')}" if process else "another process"
        raise ModelError(f"{who} trains in {folder}: one at a time. Wait for its end, or stop it first.") from None
    return lock

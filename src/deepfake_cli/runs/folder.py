"""The folder of a run: its name, and the lock that lets one process at a time train in it."""

import os
import platform
from contextlib import suppress
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from deepfake_cli.config import Train
from deepfake_cli.errors import ConfigError, ModelError
from deepfake_cli.runs import recipe
from deepfake_cli.runs.files import BEST, LOCK, STATE
from deepfake_cli.runs.find import resume_name
from deepfake_cli.storage.downloads import is_there, local_path
from deepfake_cli.storage.urls import is_remote


def named_folder(run: str | None, runs_dir: Path, snapshot_path: Path | None) -> Path | None:
    """The folder that the user names for a run with ``--run`` or ``--snapshot-path``; None without a name."""
    return snapshot_path or (runs_dir / run if run else None)


def resumed_if_there(settings: Train) -> Train:
    """The settings; with ``--resume-if-there``, and if the named folder holds a run, set to resume it."""
    folder = named_folder(settings.run, settings.runs_dir, settings.snapshot_path)
    exists = settings.resume_if_there and folder and holds_a_run(folder)
    return settings.model_copy(update={"resume": str(folder)}) if exists else settings


def holds_a_run(folder: Path) -> bool:
    """Whether the folder, on disk or in an object store, holds a run that has saved a state or may still be trained."""
    return is_there(folder / recipe.NAME) and not is_unsaved(folder)


def is_unsaved(folder: Path) -> bool:
    """Whether the folder holds a run that ended before it had saved a state that can be resumed."""
    found = local_path(folder / recipe.NAME)
    if not found.is_file():
        return False
    try:
        facts = recipe.of_run(found.parent)
    except ModelError:  # whatever it is, it is not replaced
        return False
    saved = facts["history"] or facts["snapshots"] or is_there(folder / STATE)
    return not saved and not (_may_be_trained(facts) if is_remote(folder) else is_locked(folder))


def _may_be_trained(facts: dict[str, Any]) -> bool:
    """Whether the process of a recipe may still run; of one on another machine nothing is known. Object stores have no locks."""
    process = facts.get("process", {})
    return process.get("host") != platform.node() or psutil.pid_exists(process.get("pid", os.getpid()))


def chosen_folder(run: str | None, runs_dir: Path, snapshot_path: Path | None) -> Path | None:
    """The folder that the user names for a new run; None without a name.

    Raises:
        ConfigError: it holds a run already.
    """
    folder = named_folder(run, runs_dir, snapshot_path)
    if folder and holds_a_run(folder):
        raise ConfigError(
            f"{folder} holds a run already. Resume it with deepfake train --resume {resume_name(folder)}, or choose another "
            f"{'--snapshot-path' if snapshot_path else '--run'} for a new run."
        )
    return folder


def new_name(model: str) -> str:
    """The default name of a run: its model and the time."""
    return f"{model.replace(':', '_')}-{datetime.now():%Y%m%d-%H%M%S}"


def new_folder(runs_dir: Path, model: str) -> Path:
    """Make a new folder in `runs_dir`, named by `new_name`."""
    name = new_name(model)
    if is_remote(runs_dir):
        return runs_dir / name
    for candidate in chain([name], (f"{name}-{number}" for number in count(2))):
        try:
            (runs_dir / candidate).mkdir(parents=True)
            break
        except FileExistsError:
            continue
    return runs_dir / candidate


def lock_folder(folder: Path) -> FileLock:
    """Make the folder, take its lock and return it. The operating system frees the lock when the process ends in any way.

    Raises:
        ModelError: another process holds the lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, timeout=1)
    try:
        lock.acquire()
    except Timeout:
        process = recipe.read(folder / BEST).get("process", {})
        who = f"process {process.get('pid')} on {process.get('host')}" if process else "another process"
        raise ModelError(f"{folder}: {who} trains this run. Wait until it ends, or stop it first.") from None
    return lock


def is_locked(folder: Path) -> bool:
    """Whether a process trains in this folder. A process that died holds no lock."""
    if not (folder / LOCK).is_file():
        return False
    try:
        with FileLock(folder / LOCK, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # a read-only folder
        return False


def unlock_folder(folder: Path, lock: FileLock) -> None:
    """Release the lock. The folder of a run that failed before its recipe was written goes, if nothing else is in it."""
    if not (folder / recipe.NAME).exists():
        with suppress(OSError):
            (folder / LOCK).unlink()
            folder.rmdir()
    lock.release()

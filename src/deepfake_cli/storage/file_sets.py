"""Files that belong together change together: a killed process leaves all of the earlier ones, or all of the new ones."""

import os
import platform
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import Annotated
from uuid import uuid4

from pydantic import BaseModel, StringConstraints, ValidationError

from deepfake_cli.errors import StorageError
from deepfake_cli.storage import remote
from deepfake_cli.storage.urls import is_remote

READY = ".new-files"  # and the time: a complete set, being moved into the folder above it
PLAN = ".plan.json"  # in it
# of a file in the folder: a plan may come from anywhere
Name = Annotated[str, StringConstraints(pattern=r"^[^/\\\x00]+$")]


class Plan(BaseModel):
    """What to do with a set: remove files, and move files, in this order."""

    remove: list[Name]
    move: list[Name]


@contextmanager
def replaced(folder: Path, *, last: str, names: Collection[str] = ()) -> Iterator[Path]:
    """Yield an empty folder for new files, which replace those of `folder` together if the block succeeds.

    If the process is killed while they are moved, the next call of `finish` moves the rest. An object store has no such
    moves: there, files are uploaded one after another.

    Args:
        folder: of the files; other files in it stay.
        last: the file that is replaced last, so that all others are new if it is.
        names: all files of a set; earlier ones of which the block writes no new ones are removed.

    Raises:
        StorageError: the files cannot be moved or uploaded.
    """
    if is_remote(folder):
        with tempfile.TemporaryDirectory(prefix="deepfake-") as name:
            yield Path(name)
            plan = _plan(folder, Path(name), last, names)
            for old in plan.remove:
                remote.delete(folder / old)
            for moved in plan.move:
                remote.put(Path(name) / moved, folder / moved)
        return
    folder.mkdir(parents=True, exist_ok=True)
    finish(folder)
    new = process_folder(folder, suffix=".staged")
    new.mkdir()
    try:
        yield new
        (new / PLAN).write_text(_plan(folder, new, last, names).model_dump_json(), encoding="utf-8")
        new.rename(folder / f"{READY}-{time.time_ns()}")
    except OSError as error:
        for name in (error.filename2, error.filename):
            if str(name or "").startswith(str(new)):
                error.filename, error.filename2 = str(folder / Path(str(name)).name), None
        raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
    finish(folder)


def finish(folder: Path) -> None:
    """Move the rest of a set whose process was killed while it moved them; call this before reading one of its files.

    Raises:
        StorageError: they cannot be moved.
    """
    if is_remote(folder) or not folder.is_dir():
        return
    for ready in sorted(folder.glob(f"{READY}-*")):
        try:
            _move(ready, folder)
        except ValidationError:
            raise StorageError(f"{ready / PLAN}: not as this tool writes it. Delete {ready}.") from None
        except OSError as error:
            raise StorageError(
                f"{folder}: its files belong to two runs, since one was interrupted: {error.strerror}. Move the files of "
                f"{ready} into the folder above it, or allow this process to write there."
            ) from None


def _move(ready: Path, folder: Path) -> None:
    """Move a complete set; several processes may do so at the same time."""
    with suppress(FileNotFoundError):  # all is moved
        plan = Plan.model_validate_json((ready / PLAN).read_bytes())
        for name in plan.remove:
            (folder / name).unlink(missing_ok=True)
        for name in plan.move:
            with suppress(FileNotFoundError):  # moved already
                (ready / name).replace(folder / name)
    shutil.rmtree(ready, ignore_errors=True)


def stale(folder: Path, new: Path, names: Collection[str]) -> list[str]:
    """The earlier files of a set that has no new ones of these names."""
    earlier = remote.file_names(folder) if is_remote(folder) else {path.name for path in folder.iterdir()}
    return [name for name in names if name in earlier and not (new / name).exists()]


def stale_note(folder: Path, new: Path, names: Collection[str], *, of: str) -> list[str]:
    """A note on the files that `stale` names, which are of an earlier run of a command; no note if there are none."""
    removed = stale(folder, new, names)
    return [f"Removed, since they are of an earlier {of}: {', '.join(removed)}."] if removed else []


def _plan(folder: Path, new: Path, last: str, names: Collection[str]) -> Plan:
    moved = sorted((path.name for path in new.iterdir()), key=lambda name: (name == last, name))
    return Plan(remove=stale(folder, new, names), move=moved)


def process_folder(folder: Path, prefix: str = ".", suffix: str = ".partial") -> Path:
    """A path for a new folder that only this process writes; those that killed processes left on this machine are removed."""
    _sweep(folder, prefix, suffix)
    return folder / f"{prefix}{platform.node()}-{os.getpid()}-{uuid4().hex[:8]}{suffix}"


def _sweep(folder: Path, prefix: str, suffix: str) -> None:
    import psutil

    for path in folder.glob(f"{escape(f'{prefix}{platform.node()}')}-*-*{suffix}"):
        process = path.name.split("-")[-2]
        if path.is_dir() and process.isdecimal() and not psutil.pid_exists(int(process)):
            shutil.rmtree(path, ignore_errors=True)

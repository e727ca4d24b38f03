"""The folder of one run: its recipe, the state in the middle of an epoch, a snapshot an epoch, and the best of them."""

import filecmp
import math
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from deepfake_cli.config import Train
from deepfake_cli.errors import ModelError
from deepfake_cli.runs import recipe
from deepfake_cli.runs.folder import chosen_folder, locked, new_folder
from deepfake_cli.runs.listing import BEST, BEST_ONNX, STATE, called, find
from deepfake_cli.runs.mirror import Home
from deepfake_cli.runs.resume import Start, lists_of, newest_start, own_settings
from deepfake_cli.storage.files import whole
from deepfake_cli.storage.remote import here

Save = Callable[[Path], object]  # writes a model, whole, to a path


class Run:
    """A run's folder. The recipe is written after the files that it lists, so what it says is true whenever a run dies."""

    writes = True  # not so for workers beside the chief

    def __init__(self, home: Home, lock: FileLock, settings: Train, facts: dict[str, Any], start: Start):
        self.home, self.folder = home, home.folder
        self.lock, self.settings, self.start = lock, settings, start
        self.saved = start if start.file else None  # what there is to go on from, if the run stops now
        self.resumes = f"deepfake train --resume {called(home.path)}"
        self.recipe = facts | {
            "settings": settings.model_dump(mode="json") | {"resume": None},
            "process": {"pid": os.getpid(), "host": platform.node()},
        }

    @classmethod
    def begin(cls, settings: Train, model: str, start: Start, save: Save) -> "Run":
        """Make the folder of a new run; one from a snapshot takes over its history, and the best so far.

        Raises:
            ConfigError: the folder holds a run already.
        """
        facts = {
            "model": model,
            "began": datetime.now().isoformat(timespec="seconds"),
            "seed": settings.seed,
            "versions": recipe.versions(),
            "data": recipe.fingerprint(lists_of(settings)),
            "history": [],
            "snapshots": {},
        }
        home = Home(cls._place(settings, model))
        run = cls(home, cls._lock(home.folder), settings, facts, start)
        if settings.snapshot:
            run._take_over(settings.snapshot, start.epoch, save)
        return run

    @classmethod
    def resume(cls, settings: Train) -> "Run":
        """Take up the run that `settings` names, with its own settings.

        Raises:
            ModelError: there is no such run, another process trains it, or its snapshots are gone.
            ConfigError: `settings` asks for what would change its result.
        """
        home = Home(find(str(settings.resume), settings.runs_dir))
        folder, lock = home.folder, cls._lock(home.folder)
        home.fetch()
        facts = recipe.read(folder / BEST)
        settings = own_settings(settings, facts, folder)
        facts["snapshots"] = {name: each for name, each in facts["snapshots"].items() if (folder / name).is_file()}
        start = newest_start(folder, facts)
        facts["history"] = [row for row in facts["history"] if row["epoch"] <= start.epoch]
        run = cls(home, lock, settings, facts, start)
        run._clean()
        return run

    @property
    def history(self) -> list[dict[str, Any]]:
        """One row an epoch."""
        return self.recipe["history"]

    @property
    def prefix(self) -> str:
        """What a snapshot's name begins with."""
        return self.recipe["model"].replace(":", "_")

    def losses(self) -> list[float]:
        """The validation losses so far."""
        return [row["val_loss"] for row in self.history if "val_loss" in row]

    def ended_by(self, row: dict[str, Any]) -> str | None:
        """Why the run ends with this epoch, before its last: the validation AUC rose no more. The recipe keeps it."""
        patience = self.settings.early_stopping
        aucs = [each["val_auc"] for each in (*self.history, row) if "val_auc" in each]
        if patience and waited(aucs) >= patience:
            self.recipe["ended"] = f"no higher validation AUC for {patience} epoch{'s' * (patience > 1)}"
        return self.recipe.get("ended")

    def write(self) -> None:
        """Write the recipe."""
        with self._telling(self.folder / recipe.NAME):
            recipe.write(self.folder, self.recipe)
        self.send()

    def keep_state(self, save: Save, epoch: int, step: int) -> None:
        """Keep the state in the middle of an epoch, in place of an earlier one."""
        path = self._save(STATE, save)
        self.saved = Start(path, epoch - 1, step)
        self.send()

    def keep(self, save: Save, row: dict[str, Any]) -> tuple[Path, bool]:
        """Keep the state after an epoch: its snapshot, and ``best.keras`` if no earlier one was better."""
        known, epoch = self.recipe["snapshots"], row["epoch"]
        best = BEST not in known or "val_auc" not in row or _merit(row) > _merit(known[BEST])
        path = self._save(self._name(epoch), save)
        if best:
            self._copy_to_best(path)
        facts = {name: row[name] for name in ("epoch", "val_auc", "val_loss", "threshold", "pool") if name in row}
        known |= dict.fromkeys([path.name, *[BEST] * best], facts)
        old = [name for name in known if name not in (path.name, BEST)] if not self.settings.snapshots else []
        for name in old:
            del known[name]
        self.history.append(row)
        self.write()
        self.saved = Start(path, epoch)
        self._drop(*old, STATE)
        self.send()
        return path, best

    def send(self) -> None:
        """Send what was written to where the run is kept, if that is not here."""
        self.home.send()

    def kept(self) -> str:
        """What is left of the run if it stops now, and the command that goes on."""
        good = f"Kept: the state at {self.saved}, {self.saved.file}" if self.saved else "No state was saved yet"
        return f"{good}. To go on: {self.resumes}"

    def close(self) -> None:
        """Let another process train in the folder."""
        self.lock.release()

    @staticmethod
    def _place(settings: Train, model: str) -> Path:
        return chosen_folder(settings) or new_folder(settings, model)

    @staticmethod
    def _lock(folder: Path) -> FileLock:
        return locked(folder)

    def _clean(self) -> None:
        """Undo what a process that was killed left half done."""
        for partial in self.folder.glob(".*.partial*"):
            partial.unlink()
        self._mend_best()

    def _drop(self, *names: str) -> None:
        for name in names:
            (self.folder / name).unlink(missing_ok=True)

    def _name(self, epoch: int) -> str:
        return f"{self.prefix}_csv_{epoch:02d}.keras"

    def _save(self, name: str, save: Save) -> Path:
        path = self.folder / name
        with self._telling(path), whole(path) as partial:
            save(partial)
            _to_disk(partial)
        return path

    @contextmanager
    def _telling(self, path: Path) -> Iterator[None]:
        """Turn a full disk and the like into a word on what is kept."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or error
            raise ModelError(f"{path} can't be written: {reason}. {self.kept()}") from None

    def _copy_to_best(self, path: Path) -> None:
        self._drop(BEST_ONNX)  # made of an earlier one
        self._save(BEST, lambda partial: shutil.copyfile(path, partial))

    def _mend_best(self) -> None:
        """Undo a new best that the recipe doesn't tell of: its process died between the two."""
        known = self.recipe["snapshots"]
        name = self._name(known[BEST]["epoch"]) if BEST in known else BEST
        if name != BEST and name in known and not filecmp.cmp(self.folder / name, self.folder / BEST, shallow=False):
            self._copy_to_best(self.folder / name)

    def _take_over(self, snapshot: Path, epoch: int, save: Save) -> None:
        """A snapshot of another run becomes this one's first; the best until then is the one to beat."""
        earlier = recipe.read(snapshot)
        facts = {name: each for name, each in earlier.get("snapshots", {}).items() if each["epoch"] <= epoch}
        there = {snapshot.parent / name: each for name, each in facts.items() if here(snapshot.parent / name).is_file()}
        self.recipe["history"] = [row for row in earlier.get("history", []) if row["epoch"] <= epoch]
        first = self._save(self._name(epoch), save)
        self.recipe["snapshots"][first.name] = facts.get(snapshot.name, {"epoch": epoch})
        if there:
            best = max(there, key=lambda path: _merit(there[path]))
            self._copy_to_best(here(best))
            self.recipe["snapshots"][BEST] = there[best]
        self.saved = Start(first, epoch)


def _to_disk(path: Path) -> None:
    """Wait until a file is on the disk: a machine that loses its power must not leave a name without content."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _merit(row: dict[str, Any]) -> tuple[float, float]:
    """Validation AUC; of two equal ones the lower loss is better."""
    return row.get("val_auc", -math.inf), -row.get("val_loss", math.inf)


def waited(aucs: Sequence[float]) -> int:
    """How many epochs ago the validation AUC was at its highest."""
    return len(aucs) - 1 - max(range(len(aucs)), key=aucs.__getitem__) if aucs else 0

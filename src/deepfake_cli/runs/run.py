"""The folder of one run: its recipe, a state in the middle of an epoch, a snapshot per epoch, and the best snapshot."""

import filecmp
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from deepfake_cli.config import Train
from deepfake_cli.errors import ModelError
from deepfake_cli.runs import recipe, results
from deepfake_cli.runs.files import BEST, BEST_ONNX, STATE
from deepfake_cli.runs.find import find, resume_name
from deepfake_cli.runs.folder import chosen_folder, lock_folder, new_folder, unlock_folder
from deepfake_cli.runs.mirror import Location
from deepfake_cli.runs.resume import Start, lists_of, newest_start, own_settings
from deepfake_cli.storage.disk import sentence
from deepfake_cli.storage.downloads import is_there, local_path
from deepfake_cli.storage.file_sets import replaced
from deepfake_cli.storage.files import flush_to_disk, whole

SaveModel = Callable[[Path], object]  # saves a model to a path


class Run:
    """The folder of a run. Its recipe is written after the files that it lists, so it is true whenever the process is killed."""

    writes = True  # False for non-chief workers

    def __init__(self, location: Location, lock: FileLock, settings: Train, facts: dict[str, Any], start: Start):
        self.location, self.folder = location, location.folder
        self.lock, self.settings, self.start = lock, settings, start
        self.saved = start if start.file else None  # where the run would resume if it stopped now
        self.resumes = f"deepfake train --resume {resume_name(location.path)}"
        self.recipe = facts | {
            "settings": settings.model_dump(mode="json") | {"resume": None},
            "process": {"pid": os.getpid(), "host": platform.node()},
        }

    @classmethod
    def begin(cls, settings: Train, model: str, start: Start, save: SaveModel) -> "Run":
        """Begin a new run in a new folder, or in that of a run which saved no state, whose events for TensorBoard go.

        A run from a snapshot copies that run's history and its best snapshot so far.

        Raises:
            ConfigError: the folder holds a run already.
        """
        lists = lists_of(settings.train_csv, settings.val_annotations, evaluation=settings.evaluation)
        facts = {
            "model": model,
            "began": datetime.now().isoformat(timespec="seconds"),
            "seed": settings.seed,
            "versions": recipe.versions(),
            "data": recipe.fingerprint(lists),
            "history": [],
            "snapshots": {},
        }
        location = Location(cls._new_folder(settings, model))
        run = cls(location, cls._lock(location.folder), settings, facts, start)
        if run.writes and is_there(location.path / recipe.NAME):
            run._clean()
            location.forget_events()
        if settings.snapshot:
            run._copy_history(settings.snapshot, start.epoch, save)
        return run

    @classmethod
    def resume(cls, settings: Train) -> "Run":
        """Resume the run that `settings` names, with the settings it began with.

        Raises:
            ModelError: there is no such run, another process trains it, or its snapshots are gone.
            ConfigError: `settings` would change its result.
        """
        location = Location(find(str(settings.resume), settings.runs_dir))
        folder, lock = location.folder, cls._lock(location.folder)
        location.fetch()
        facts = recipe.of_run(folder)
        settings = own_settings(settings, facts, folder)
        facts["snapshots"] = {name: entry for name, entry in facts["snapshots"].items() if (folder / name).is_file()}
        start = newest_start(folder, facts)
        facts["history"] = [row for row in facts["history"] if row["epoch"] <= start.epoch]
        run = cls(location, lock, settings, facts, start)
        run._clean()
        return run

    @property
    def history(self) -> list[dict[str, Any]]:
        """Metrics, one row per epoch."""
        return self.recipe["history"]

    @property
    def prefix(self) -> str:
        """Prefix of the snapshots' file names."""
        return self.recipe["model"].replace(":", "_")

    def losses(self) -> list[float]:
        """The validation losses of the finished epochs."""
        return [row["val_loss"] for row in self.history if "val_loss" in row]

    def ended_by(self, row: dict[str, Any]) -> str | None:
        """Why training stops early after the epoch with these metrics; None if it doesn't. The reason is put in the recipe."""
        patience = self.settings.early_stopping
        aucs = [epoch["val_auc"] for epoch in (*self.history, row) if "val_auc" in epoch]
        if patience and results.epochs_since_best(aucs) >= patience:
            self.recipe["ended"] = f"no higher validation AUC for {patience} epoch{'s' * (patience > 1)}"
        return self.recipe.get("ended")

    def with_batch(self, size: int) -> Train:
        """Replace ``--batch-size auto`` by the number found, so that a resumed run has it too; return the settings."""
        self.settings = self.settings.model_copy(update={"batch_size": size})
        self.recipe["settings"]["batch_size"] = size
        return self.settings

    def write(self) -> None:
        """Write the metrics of the epochs and the recipe, and upload them."""
        with self._reporting_write_errors():
            results.write(self.folder, self.history)
            recipe.write(self.folder, self.recipe)
        self.send()

    def save_state(self, save: SaveModel, epoch: int, step: int) -> None:
        """Save the state in the middle of an epoch, replacing an earlier one."""
        path = self._save(STATE, save)
        self.saved = Start(path, epoch - 1, step)
        self.send()

    def save_epoch(self, save: SaveModel, row: dict[str, Any]) -> tuple[Path, bool]:
        """Save the snapshot of an epoch, and ``best.keras`` if it is the best; return its file, and whether it is the best."""
        snapshots, epoch = self.recipe["snapshots"], row["epoch"]
        best = BEST not in snapshots or "val_auc" not in row or results.rank(row) > results.rank(snapshots[BEST])
        path = self._save(self._name(epoch), save)
        facts = {name: row[name] for name in ("epoch", "val_auc", "val_loss", "threshold", "pool") if name in row}
        snapshots |= dict.fromkeys([path.name, *[BEST] * best], facts)
        old = [name for name in snapshots if name not in (path.name, BEST)] if not self.settings.snapshots else []
        for name in old:
            del snapshots[name]
        self.history.append(row)
        self._write_with_best(path) if best else self.write()
        self.saved = Start(path, epoch)
        self._delete(*old, STATE)
        self.send()
        return path, best

    def send(self) -> None:
        """Upload changed files, if the run is stored in an object store."""
        self.location.send()

    def saved_note(self) -> str:
        """For error messages: what is saved of the run, and the command that resumes it; or that it begins anew."""
        if not self.saved:
            return "No state was saved yet, so the same command begins the run anew"
        return f"Saved: the state at {self.saved}, {self.saved.file}. Resume with: {self.resumes}"

    def close(self) -> None:
        """Release the folder's lock."""
        unlock_folder(self.folder, self.lock)

    @staticmethod
    def _new_folder(settings: Train, model: str) -> Path:
        named = chosen_folder(settings.run, settings.runs_dir, settings.snapshot_path)
        return named or new_folder(settings.runs_dir, model)

    @staticmethod
    def _lock(folder: Path) -> FileLock:
        return lock_folder(folder)

    def _clean(self) -> None:
        """Delete partial files of a killed process, and repair ``best.keras``."""
        for partial in self.folder.glob(".*.partial*"):
            partial.unlink()
        self._repair_best()

    def _delete(self, *names: str) -> None:
        for name in names:
            (self.folder / name).unlink(missing_ok=True)

    def _name(self, epoch: int) -> str:
        return f"{self.prefix}_csv_{epoch:02d}.keras"

    def _save(self, name: str, save: SaveModel) -> Path:
        path = self.folder / name
        with self._reporting_write_errors(), whole(path) as partial:
            save(partial)
            flush_to_disk(partial)
        return path

    @contextmanager
    def _reporting_write_errors(self) -> Iterator[None]:
        """Turn errors such as a full disk into a message with what is saved."""
        try:
            yield
        except OSError as error:
            raise ModelError(f"{sentence(error)} {self.saved_note()}") from None

    def _write_with_best(self, path: Path) -> None:
        """Write the recipe and ``best.keras`` together: the threshold in the one is of the other."""
        with (
            self._reporting_write_errors(),
            replaced(self.folder, last=recipe.NAME, names=[BEST_ONNX]) as new,  # the export is of an earlier best
        ):
            shutil.copyfile(path, new / BEST)
            flush_to_disk(new / BEST)
            results.write(new, self.history)
            recipe.write(new, self.recipe)
        self.send()

    def _copy_to_best(self, path: Path) -> None:
        self._delete(BEST_ONNX)  # the export of an earlier best
        self._save(BEST, lambda partial: shutil.copyfile(path, partial))

    def _repair_best(self) -> None:
        """Restore ``best.keras`` to the snapshot in the recipe, if the process was killed between writing the two."""
        snapshots = self.recipe["snapshots"]
        if BEST not in snapshots or (name := self._name(snapshots[BEST]["epoch"])) not in snapshots:
            return
        if not filecmp.cmp(self.folder / name, self.folder / BEST, shallow=False):
            self._copy_to_best(self.folder / name)

    def _copy_history(self, snapshot: Path, epoch: int, save: SaveModel) -> None:
        """Copy history and best snapshot of another run, up to an epoch; its snapshot becomes the first of this run."""
        earlier = recipe.read(snapshot)
        facts = {name: entry for name, entry in earlier.get("snapshots", {}).items() if entry["epoch"] <= epoch}
        present = {snapshot.parent / name: entry for name, entry in facts.items() if is_there(snapshot.parent / name)}
        self.recipe["history"] = [row for row in earlier.get("history", []) if row["epoch"] <= epoch]
        first = self._save(self._name(epoch), save)
        self.recipe["snapshots"][first.name] = facts.get(snapshot.name, {"epoch": epoch})
        if present:
            best = max(present, key=lambda path: results.rank(present[path]))
            self._copy_to_best(local_path(best))
            self.recipe["snapshots"][BEST] = present[best]
        self.saved = Start(first, epoch)

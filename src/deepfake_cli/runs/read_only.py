"""The run as non-chief workers see it: they make the same decisions as the chief, and write no files."""

import tempfile
from pathlib import Path

from filelock import FileLock

from deepfake_cli.config import Train
from deepfake_cli.errors import ConfigError
from deepfake_cli.runs.files import LOCK
from deepfake_cli.runs.folder import named_folder
from deepfake_cli.runs.run import Run, SaveModel


class ReadOnlyRun(Run):
    """A `Run` without writing. It still saves to a temporary folder, because all workers must save a model together."""

    writes = False

    def write(self) -> None:
        """Do nothing: the chief writes the recipe."""

    def send(self) -> None:
        """Do nothing: the chief uploads the run."""

    @staticmethod
    def _new_folder(settings: Train, model: str) -> Path:
        folder = named_folder(settings.run, settings.runs_dir, settings.snapshot_path)
        if not folder:
            raise ConfigError("Several workers train one run in a shared folder. Name it with --run NAME.")
        return folder

    @staticmethod
    def _lock(folder: Path) -> FileLock:
        return FileLock(folder / LOCK)  # never taken

    def _clean(self) -> None: ...

    def _delete(self, *names: str) -> None: ...

    def _write_with_best(self, path: Path) -> None: ...

    def _copy_to_best(self, path: Path) -> None: ...

    def _save(self, name: str, save: SaveModel) -> Path:
        with tempfile.TemporaryDirectory() as folder:
            save(Path(folder) / name)
        return self.folder / name

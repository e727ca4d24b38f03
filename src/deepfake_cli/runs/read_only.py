"""A run as those workers see it that are not the chief: they decide as it does, and write no file."""

import tempfile
from pathlib import Path

from filelock import FileLock

from deepfake_cli.config import Train
from deepfake_cli.errors import ConfigError
from deepfake_cli.runs.folder import named_folder
from deepfake_cli.runs.listing import LOCK
from deepfake_cli.runs.run import Run, Save


class Beside(Run):
    """Takes the same steps as the chief's `Run`, since a model is read and saved by all workers together."""

    writes = False

    def write(self) -> None:
        """Leave the recipe to the chief."""

    def send(self) -> None:
        """Leave it to the chief."""

    @staticmethod
    def _place(settings: Train, model: str) -> Path:
        folder = named_folder(settings)
        if not folder:
            raise ConfigError("Several machines train one run, in a folder that they share: name it with --run NAME.")
        return folder

    @staticmethod
    def _lock(folder: Path) -> FileLock:
        return FileLock(folder / LOCK)  # never taken

    def _clean(self) -> None: ...

    def _drop(self, *names: str) -> None: ...

    def _copy_to_best(self, path: Path) -> None: ...

    def _save(self, name: str, save: Save) -> Path:
        with tempfile.TemporaryDirectory() as folder:
            save(Path(folder) / name)
        return self.folder / name

"""Where a run is stored: in a folder on disk, or in an object store with a local working copy."""

import atexit
import shutil
import tempfile
from pathlib import Path

from deepfake_cli.errors import StorageError
from deepfake_cli.runs import recipe
from deepfake_cli.runs.files import EVALUATIONS, LOCK
from deepfake_cli.storage import remote
from deepfake_cli.storage.downloads import downloaded
from deepfake_cli.storage.urls import is_remote

EVENTS = "events"  # TensorBoard's events, in the run's folder


class Location:
    """The folder of a run, and its local working copy.

    Attributes:
        path: where the user finds the run.
        folder: where it is written: `path` itself, or a temporary local folder for an object store.
    """

    def __init__(self, path: Path):
        self.path = self.folder = path
        self._sent: dict[Path, tuple[int, int]] = {}
        self._complete = True  # whether all written files have been sent
        if is_remote(path):
            temporary = Path(tempfile.mkdtemp(prefix="deepfake-run-"))
            self.folder = temporary / path.name
            self.folder.mkdir()
            atexit.register(self._delete, temporary)

    def fetch(self) -> None:
        """Copy the files needed to resume a run from the object store; TensorBoard's events and evaluations are not.

        Raises:
            StorageError: they cannot be read.
        """
        if self.folder == self.path:
            return
        for path in remote.find(self.path):
            name = path.relative_to(self.path)
            if name.parts[0] not in (EVENTS, EVALUATIONS):
                with downloaded(path) as copy:
                    (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.move(copy, self.folder / name)
                self._sent[name] = _version(self.folder / name)

    def forget_events(self) -> None:
        """Remove TensorBoard's events of an earlier attempt.

        Raises:
            StorageError: they cannot be removed from an object store.
        """
        shutil.rmtree(self.folder / EVENTS, ignore_errors=True)
        for path in remote.find(self.path / EVENTS) if is_remote(self.path) else ():
            remote.delete(path)

    def send(self) -> None:
        """Upload changed files, the recipe last because it lists the others; then delete removed ones.

        Raises:
            StorageError: a file cannot be written. The local folder is kept.
        """
        if self.folder == self.path:
            return
        files = [path for path in self.folder.rglob("[!.]*") if path.is_file() and path.name != LOCK]
        now = {path.relative_to(self.folder): _version(path) for path in files}
        changed = [name for name in now if now[name] != self._sent.get(name)]
        self._complete = False
        try:
            for name in sorted(changed, key=lambda name: (name.name == recipe.NAME, now[name])):
                remote.put(self.folder / name, self.path / name)
                self._sent[name] = now[name]
            for name in [name for name in self._sent if name not in now]:
                remote.delete(self.path / name)
                del self._sent[name]
        except StorageError as error:
            raise StorageError(f"{error} The complete run is in {self.folder}.") from None
        self._complete = True

    def _delete(self, folder: Path) -> None:
        if self._complete:
            shutil.rmtree(folder, ignore_errors=True)


def _version(path: Path) -> tuple[int, int]:
    """A file's modification time in nanoseconds, and its size in bytes."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size

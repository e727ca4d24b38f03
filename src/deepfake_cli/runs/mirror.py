"""Where a run is kept: a folder on a disk; or one in an object store, and a local one whose files go there."""

import atexit
import shutil
import tempfile
from pathlib import Path

from deepfake_cli.errors import StorageError
from deepfake_cli.runs import recipe
from deepfake_cli.runs.listing import LOCK
from deepfake_cli.storage import remote

EVENTS = "events"  # TensorBoard's, beside the snapshots


class Home:
    """A run's folder.

    Attributes:
        path: where its user finds it.
        folder: where it is written: the same, or for a remote one a local folder.
    """

    def __init__(self, path: Path):
        self.path = self.folder = path
        self._sent: dict[Path, tuple[int, int]] = {}
        self._whole = True  # whether all that was written has been sent
        if remote.is_remote(path):
            temporary = Path(tempfile.mkdtemp(prefix="deepfake-run-"))
            self.folder = temporary / path.name
            self.folder.mkdir()
            atexit.register(self._tidy, temporary)

    def fetch(self) -> None:
        """Copy what a run goes on from; events stay where they are.

        Raises:
            StorageError: it can't be read.
        """
        if self.folder == self.path:
            return
        for path in remote.find(self.path):
            name = path.relative_to(self.path)
            if name.parts[0] != EVENTS:
                with remote.lent(path) as copy:
                    (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.move(copy, self.folder / name)
                self._sent[name] = _state(self.folder / name)

    def send(self) -> None:
        """Send what has changed, the recipe last, since it lists the others; then remove what is gone.

        Raises:
            StorageError: it can't be written. The local folder stays.
        """
        if self.folder == self.path:
            return
        files = [path for path in self.folder.rglob("[!.]*") if path.is_file() and path.name != LOCK]
        now = {path.relative_to(self.folder): _state(path) for path in files}
        changed = [name for name in now if now[name] != self._sent.get(name)]
        self._whole = False
        try:
            for name in sorted(changed, key=lambda name: (name.name == recipe.NAME, now[name])):
                remote.put(self.folder / name, self.path / name)
                self._sent[name] = now[name]
            for name in [name for name in self._sent if name not in now]:
                remote.drop(self.path / name)
                del self._sent[name]
        except StorageError as error:
            raise StorageError(f"{error} The run is whole in {self.folder}.") from None
        self._whole = True

    def _tidy(self, folder: Path) -> None:
        if self._whole:
            shutil.rmtree(folder, ignore_errors=True)


def _state(path: Path) -> tuple[int, int]:
    """When a file was written, and how long it is."""
    found = path.stat()
    return found.st_mtime_ns, found.st_size

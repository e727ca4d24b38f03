"""The folder for uploads."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "deepfake-app-"


@contextmanager
def folder() -> Iterator[Path]:
    """Create a private folder, removed at the end, and remove those that killed servers left behind."""
    for old in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _is_dead(old):
            shutil.rmtree(old, ignore_errors=True)
    # the process id in the name marks the owner from the start; a lock file inside would come a moment later
    made = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _is_dead(path: Path) -> bool:
    """Whether this is our folder of a server that no longer runs."""
    import psutil

    process = path.name.removeprefix(PREFIX).partition("-")[0]
    if not process.isdecimal() or path.is_symlink() or not path.is_dir() or psutil.pid_exists(int(process)):
        return False
    return not hasattr(os, "getuid") or path.stat().st_uid == os.getuid()

"""Where uploads lie until they are judged."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "deepfake-app-"


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that only this user can read, gone at the end, and those that killed servers left behind with it."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _is_dead(left):
            shutil.rmtree(left, ignore_errors=True)
    # the name says whose it is from the first moment on: a lock inside would leave a moment without one
    made = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _is_dead(path: Path) -> bool:
    """Whether this is a folder of our own of a server that runs no more."""
    import psutil

    process = path.name.removeprefix(PREFIX).partition("-")[0]
    if not process.isdecimal() or path.is_symlink() or not path.is_dir() or psutil.pid_exists(int(process)):
        return False
    return not hasattr(os, "getuid") or path.stat().st_uid == os.getuid()

"""Swap two folders in one step."""

import ctypes
import os
from pathlib import Path

AT_FDCWD, RENAME_EXCHANGE = -100, 2  # of renameat2(2), which Python does not offer


def exchange(new: Path, old: Path) -> None:
    """Swap the content of two paths on one disk, so that a killed process never leaves `old` missing.

    Where the system or the disk cannot (Linux 3.15 and most of its file systems can), in two steps.

    Raises:
        OSError: they cannot be renamed.
    """
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, TypeError, OSError):  # macOS, Windows
        renameat2 = None
    if renameat2 and not renameat2(AT_FDCWD, os.fsencode(new), AT_FDCWD, os.fsencode(old), RENAME_EXCHANGE):
        return
    aside = new.with_name(f"{new.name}.earlier")
    old.replace(aside)
    new.replace(old)
    aside.replace(new)

"""Machine code for a GPU: what TensorFlow brings, and what the driver and XLA compile at first use and keep."""

import os
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from deepfake_cli.storage.disk import check_output

KEPT = 4 * 2**30  # bytes: the largest cache that the driver takes; its default is a quarter. XLA's is kept to it, too
XLA_CACHE = "--tf_xla_persistent_cache_directory="  # in TF_XLA_FLAGS
ROOM = 2**30  # bytes that must be free for XLA to keep anything
DAMAGED = (
    "Serialized cache key",
    "Read less bytes",
    "binary proto",
)  # of TensorFlow's errors about a file of the cache


def keep_compiled() -> None:
    """Let the driver and XLA keep what they compile, unless the user has set that; call it before TensorFlow runs anything."""
    os.environ.setdefault("CUDA_CACHE_MAXSIZE", str(KEPT))
    flags, folder = os.environ.get("TF_XLA_FLAGS", ""), default_xla_cache()
    if XLA_CACHE in flags or "'" in str(folder):
        return
    with suppress(OSError):  # XLA would fail where it cannot keep what it compiled
        check_output(folder, folder=True, needed=ROOM)
        _forget_oldest(folder)
        os.environ["TF_XLA_FLAGS"] = f"{flags} {XLA_CACHE}'{folder}'".strip()


def xla_cache() -> Path | None:
    """The folder in which XLA keeps what it compiled; None if it keeps nothing."""
    found = re.search(rf"{XLA_CACHE}(?:'([^']+)'|(\S+))", os.environ.get("TF_XLA_FLAGS", ""))
    return Path(found[1] or found[2]) if found else None


def forget_damaged(error: Exception) -> str:
    """What to tell the user, if `error` says that XLA cannot read what it kept, which is removed; else an empty string."""
    folder = xla_cache()
    if folder is None or not any(words in str(error) for words in DAMAGED):
        return ""
    if folder == default_xla_cache():
        shutil.rmtree(folder, ignore_errors=True)
        return f"{folder}: XLA could not read what it kept there. It was removed: run the command again."
    return (
        f"{folder}: XLA cannot read what it kept there. Remove this folder of TF_XLA_FLAGS, and run the command again."
    )


def default_xla_cache() -> Path:
    """The folder in which XLA keeps what it compiled for this release of TensorFlow, unless the user named another."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "deepfake" / f"xla-{metadata.version('tensorflow')}"


def _forget_oldest(folder: Path) -> None:
    """Remove the oldest files of a folder until the others take at most `KEPT` bytes."""
    left = KEPT
    with suppress(OSError):  # another process removes them as well
        for file in sorted(folder.glob("*"), key=lambda file: file.stat().st_mtime, reverse=True):
            left -= file.stat().st_size
            if left < 0:
                file.unlink()


def built_for() -> list[str]:
    """The compute capabilities that the installed TensorFlow was built for; see `are_included`."""
    import tensorflow as tf

    return list(tf.sysconfig.get_build_info().get("cuda_compute_capabilities", ()))


def are_included(built_for: Sequence[str], capability: tuple[int, int]) -> bool:
    """Whether TensorFlow has machine code for a GPU. Otherwise the driver compiles each kernel from PTX at first use.

    Args:
        built_for: as in TensorFlow's build: ``sm_80`` for machine code, ``compute_90`` for machine code and PTX.
        capability: of the GPU, such as (9, 0).
    """
    codes = [match.groups() for match in map(re.compile(r"(?:sm|compute)_(\d+)(\d)a?").fullmatch, built_for) if match]
    return any(int(major) == capability[0] and int(minor) <= capability[1] for major, minor in codes)


def note(built_for: Sequence[str], capability: tuple[int, int] | None) -> str:
    """What the user should know about the first start on this GPU; empty if its kernels are included or compiled."""
    if capability is None or are_included(built_for, capability):
        return ""
    name = ".".join(map(str, capability))
    cache = cache_folder()
    if cache is None:
        return f"Each start compiles the kernels for compute capability {name}: CUDA_CACHE_DISABLE is set."
    if cache.is_dir() and any(cache.iterdir()):
        return ""
    return (
        f"TensorFlow has no machine code for compute capability {name}: the first steps wait while the driver compiles "
        f"it. It is kept in {cache}, so the next start is faster."
    )


def xla_note() -> str:
    """What the user should know about the first training with XLA; empty if there were others before."""
    folder = xla_cache()
    if folder and folder.is_dir() and any(folder.iterdir()):
        return ""
    kept = f" It is kept in {folder}, so the next start of this model is faster." if folder else ""
    return (
        f"XLA compiles the training step, which takes a minute or two and makes it faster.{kept} To start at once, and train "
        "slower: --xla off."
    )


def cache_folder() -> Path | None:
    """The folder in which the driver keeps what it compiled; None if it was told to keep nothing."""
    if os.environ.get("CUDA_CACHE_DISABLE") == "1":
        return None
    return Path(os.environ.get("CUDA_CACHE_PATH") or Path.home() / ".nv" / "ComputeCache")

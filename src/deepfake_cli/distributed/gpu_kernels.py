"""Machine code for a GPU: what TensorFlow brings, and what the driver and XLA compile at first use and keep."""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path

KEPT = 4 * 2**30  # bytes: the largest cache that the driver takes; its default is a quarter. XLA's is kept to it, too
XLA_CACHE = "--tf_xla_persistent_cache_directory="  # in TF_XLA_FLAGS


def keep_compiled() -> None:
    """Let the driver and XLA keep what they compile, unless the user has set that; call it before TensorFlow runs anything."""
    os.environ.setdefault("CUDA_CACHE_MAXSIZE", str(KEPT))
    flags = os.environ.get("TF_XLA_FLAGS", "")
    if XLA_CACHE not in flags:
        folder = default_xla_cache()
        _forget_oldest(folder)
        os.environ["TF_XLA_FLAGS"] = f"{flags} {XLA_CACHE}{folder}".strip()


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
    folder = Path(os.environ.get("TF_XLA_FLAGS", "").partition(XLA_CACHE)[2].partition(" ")[0])
    if folder.is_dir() and any(folder.iterdir()):
        return ""
    return (
        "XLA compiles the training step, which takes a minute or two and makes it faster. It is kept in "
        f"{folder}, so the next start of this model is faster. To start at once, and train slower: --xla off."
    )


def cache_folder() -> Path | None:
    """The folder in which the driver keeps what it compiled; None if it was told to keep nothing."""
    if os.environ.get("CUDA_CACHE_DISABLE") == "1":
        return None
    return Path(os.environ.get("CUDA_CACHE_PATH") or Path.home() / ".nv" / "ComputeCache")

"""Machine code for a GPU: what TensorFlow brings, and what the driver compiles at first use and keeps."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

KEPT = 4 * 2**30  # bytes: the largest cache that the driver takes; its default is a quarter


def keep_compiled() -> None:
    """Let the driver keep all that it compiles, unless the user has set a size; call it before CUDA starts."""
    os.environ.setdefault("CUDA_CACHE_MAXSIZE", str(KEPT))


def built_for() -> list[str]:
    """The compute capabilities that the installed TensorFlow was built for; see `are_included`."""
    import tensorflow as tf

    return list(tf.sysconfig.get_build_info().get("cuda_compute_capabilities", ()))


def are_included(built_for: Sequence[str], capability: tuple[int, int]) -> bool:
    """Whether TensorFlow has machine code for a GPU. Otherwise the driver compiles each kernel from PTX at first use.

    Args:
        built_for: as in TensorFlow's build, ``sm_80`` for machine code and ``compute_90`` for PTX.
        capability: of the GPU, such as (9, 0).
    """
    codes = [match.groups() for match in map(re.compile(r"sm_(\d+)(\d)a?").fullmatch, built_for) if match]
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


def cache_folder() -> Path | None:
    """The folder in which the driver keeps what it compiled; None if it was told to keep nothing."""
    if os.environ.get("CUDA_CACHE_DISABLE") == "1":
        return None
    return Path(os.environ.get("CUDA_CACHE_PATH") or Path.home() / ".nv" / "ComputeCache")

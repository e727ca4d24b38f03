"""Runtimes for exported detectors, without TensorFlow.

A runtime is a function ``onnx(path, threads) -> Network``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from deepfake_cli.errors import MissingModelError, ModelError
from deepfake_cli.inference.runtimes.cuda import cuda
from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.inference.runtimes.onnx import onnx
from deepfake_cli.inference.runtimes.openvino import openvino
from deepfake_cli.registry import lookup
from deepfake_cli.storage.downloads import local_path
from deepfake_cli.storage.near import hint


class Network(Protocol):
    """An exported detector, loaded in a runtime.

    Attributes:
        traits: its metadata.
        runs_on: the library and the device, as text.
        maps: whether it can compute heat maps.
    """

    traits: Traits
    runs_on: str
    maps: bool

    def scores(self, crops: np.ndarray) -> np.ndarray:
        """Score crops, uncalibrated: uint8 RGB (n, size, size, 3) to float64 (n,) in 0..1."""

    def heat(self, crops: np.ndarray) -> np.ndarray:
        """Heat maps: contribution of each position of the last feature map to the logit, float32 (n, rows, columns)."""


RUNTIMES: dict[str, Callable[[Path, int | None], Network]] = {
    "onnx": onnx,  # ONNX Runtime, a dependency of this package: on a GPU if it can
    "cuda": cuda,  # ONNX Runtime on an NVIDIA GPU, or an error; needs onnxruntime-gpu
    "openvino": openvino,  # faster on Intel and AMD CPUs: pip install '.[openvino]'
}


def load(path: Path, runtime: str = "onnx", threads: int | None = None) -> Network:
    """Load an exported detector.

    Args:
        path: an ``.onnx`` file written by ``deepfake export``.
        runtime: a key of `RUNTIMES`, or ``module:function``.
        threads: number of threads; None for all cores.

    Raises:
        ModelError: the file is missing or damaged, or was not written by ``deepfake export``.
        ConfigError: the runtime is unknown or not installed.
    """
    path = local_path(path)
    if not path.is_file():
        found = "not a file." if path.exists() else f"no such detector.{hint(path)}"
        raise MissingModelError(f"{path}: {found} Give starter, a run, or an .onnx file; deepfake export writes one.")
    if path.suffix.lower() in (".keras", ".h5", ".hdf5"):
        raise ModelError(f"{path}: a snapshot; export it with deepfake export {path}, and give the .onnx file.")
    if path.suffix.lower() in (".tflite", ".pb"):
        raise ModelError(
            f"{path}: a {path.suffix} file; expected an .onnx file. Create it from the snapshot with deepfake export."
        )
    return lookup(RUNTIMES, runtime, "runtime")(path, threads)

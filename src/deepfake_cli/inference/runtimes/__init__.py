"""Detectors as ``deepfake export`` writes them, run without TensorFlow.

A runtime is a function ``onnx(path, threads) -> Network``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from deepfake_cli.errors import ModelError
from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.inference.runtimes.onnx import onnx
from deepfake_cli.inference.runtimes.openvino import openvino
from deepfake_cli.registry import lookup
from deepfake_cli.storage.remote import here


class Network(Protocol):
    """An exported detector, ready to run.

    Attributes:
        traits: what it says of itself.
        runs_on: the library and the device, in words.
        maps: whether it tells where in a crop its score comes from.
    """

    traits: Traits
    runs_on: str
    maps: bool

    def scores(self, crops: np.ndarray) -> np.ndarray:
        """How fake crops are, not calibrated: uint8 RGB (n, size, size, 3) to float64 (n,) in 0..1."""

    def heat(self, crops: np.ndarray) -> np.ndarray:
        """What each place of the last feature map adds to the logit of fake: float32 (n, rows, columns)."""


RUNTIMES: dict[str, Callable[[Path, int | None], Network]] = {
    "onnx": onnx,  # ONNX Runtime: installed with the package
    "openvino": openvino,  # faster on Intel's and AMD's CPUs: pip install 'deepfake-cli[openvino]'
}


def load(path: Path, runtime: str = "onnx", threads: int | None = None) -> Network:
    """Load an exported detector.

    Args:
        path: an ``.onnx`` file that ``deepfake export`` wrote.
        runtime: a key of `RUNTIMES`, or ``module:function``.
        threads: to compute with; all cores, if None.

    Raises:
        ModelError: the file is missing or broken, or was not written by ``deepfake export``.
        ConfigError: the runtime is not installed, or there is none of that name.
    """
    path = here(path)
    if not path.is_file():
        raise ModelError(f"There is no file {path}. deepfake export makes one from a snapshot.")
    return lookup(RUNTIMES, runtime, "runtime")(path, threads)

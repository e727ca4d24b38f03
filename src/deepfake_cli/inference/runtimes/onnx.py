"""ONNX Runtime."""

from pathlib import Path
from typing import Any

import numpy as np

from deepfake_cli.assets import STARTER
from deepfake_cli.inference.runtimes.checked import probabilities
from deepfake_cli.inference.runtimes.metadata import KEY, Traits
from deepfake_cli.inference.runtimes.tried import PROBABILITY, run, session_of, tried

HEAT = "heat"  # name of an output, as `PROBABILITY`


class OnnxNetwork:
    """A detector in ONNX Runtime; see `deepfake_cli.inference.runtimes.Network`."""

    def __init__(self, session: Any, traits: Traits, path: Path):
        self._session, self.traits, self._path = session, traits, path
        self.runs_on = f"ONNX Runtime, {session.get_providers()[0].removesuffix('ExecutionProvider')}"
        self._input = session.get_inputs()[0].name
        self.maps = HEAT in {output.name for output in session.get_outputs()}

    def scores(self, crops: np.ndarray) -> np.ndarray:
        """See `deepfake_cli.inference.runtimes.Network`."""
        return probabilities(self._run(PROBABILITY, crops), self._path)

    def heat(self, crops: np.ndarray) -> np.ndarray:
        """See `deepfake_cli.inference.runtimes.Network`."""
        return self._run(HEAT, crops)

    def _run(self, output: str, crops: np.ndarray) -> np.ndarray:
        return run(self._session, [output], {self._input: crops}, self._path)[0]


def onnx(path: Path, threads: int | None = None) -> OnnxNetwork:
    """Load an exported detector in ONNX Runtime, on a GPU if onnxruntime-gpu is installed."""
    import onnxruntime

    if path != STARTER:  # the shipped file needs no trial
        tried(path)
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 4  # errors are raised anyway
    settings.intra_op_num_threads = threads or 0
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")  # leaves the cores to decoding
    session = session_of(path, settings, _providers(onnxruntime.get_available_providers()))
    return OnnxNetwork(session, Traits.parse(session.get_modelmeta().custom_metadata_map.get(KEY), path), path)


def _providers(available: list[str]) -> list[str]:
    """CUDA if available, else the CPU; never a remote service."""
    return [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in available]

"""OpenVINO, an optional dependency."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from deepfake_cli.errors import ConfigError, ModelError
from deepfake_cli.inference.runtimes.checked import probabilities
from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.inference.runtimes.onnx import HEAT
from deepfake_cli.inference.runtimes.tried import PROBABILITY, tried
from deepfake_cli.installation import install


class OpenVinoNetwork:
    """A detector in OpenVINO; see `deepfake_cli.inference.runtimes.Network`."""

    def __init__(self, compiled: Any, traits: Traits, precision: str, path: Path):
        self._compiled, self.traits, self._path = compiled, traits, path
        self.runs_on = f"OpenVINO, CPU, {precision}"
        self.maps = any(HEAT in output.get_names() for output in compiled.outputs)

    def scores(self, crops: np.ndarray) -> np.ndarray:
        """See `deepfake_cli.inference.runtimes.Network`."""
        return probabilities(self._run(crops)[PROBABILITY], self._path)

    def heat(self, crops: np.ndarray) -> np.ndarray:
        """See `deepfake_cli.inference.runtimes.Network`."""
        return np.array(self._run(crops)[HEAT])

    def _run(self, crops: np.ndarray) -> Any:
        try:
            return self._compiled.infer_new_request(crops)
        except RuntimeError as error:
            raise ModelError(f"{self._path} cannot be run: {' '.join(str(error).split())[:300]}") from None


def openvino(path: Path, threads: int | None = None) -> OpenVinoNetwork:
    """Load an exported detector in OpenVINO, in the default precision for this CPU."""
    try:
        import openvino as ov
    except ImportError:
        raise ConfigError(f"OpenVINO is not installed: {install('openvino')}. Or use --runtime onnx.") from None
    traits = tried(path)
    core = ov.Core()
    settings = {"INFERENCE_NUM_THREADS": threads or os.cpu_count() or 1, "PERFORMANCE_HINT": "LATENCY"}
    try:
        compiled = core.compile_model(core.read_model(path), "CPU", settings)
    except RuntimeError as error:
        raise ModelError(f"{path} cannot be loaded: {' '.join(str(error).split())[:300]}") from None
    return OpenVinoNetwork(compiled, traits, compiled.get_property("INFERENCE_PRECISION_HINT").to_string(), path)

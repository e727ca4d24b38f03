"""ONNX Runtime."""

from pathlib import Path
from typing import Any

import numpy as np

from deepfake_cli.errors import ModelError
from deepfake_cli.inference.runtimes.checked import check_input, probabilities
from deepfake_cli.inference.runtimes.metadata import AGAIN, KEY, Traits

PROBABILITY, HEAT = "probability", "heat"  # names of the outputs


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
        try:
            return self._session.run([output], {self._input: crops})[0]
        except Exception as error:  # noqa: BLE001 - ONNX Runtime has no common exception class
            raise ModelError(f"{self._path} cannot be run: {' '.join(str(error).split())[:300]}") from None


def onnx(path: Path, threads: int | None = None) -> OnnxNetwork:
    """Load an exported detector in ONNX Runtime, on a GPU if onnxruntime-gpu is installed."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 4  # errors are raised anyway
    settings.intra_op_num_threads = threads or 0
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")  # leaves the cores to decoding
    try:
        session = onnxruntime.InferenceSession(
            str(path), settings, providers=_providers(onnxruntime.get_available_providers())
        )
    except Exception as error:  # noqa: BLE001 - ONNX Runtime has no common exception class
        raise ModelError(f"{path} cannot be loaded: {' '.join(str(error).split())[:300]}") from None
    traits = Traits.parse(session.get_modelmeta().custom_metadata_map.get(KEY), path)
    inputs, outputs = session.get_inputs(), [output.name for output in session.get_outputs()]
    if len(inputs) != 1 or PROBABILITY not in outputs:
        raise ModelError(f"{path}: expected one input, and an output named {PROBABILITY}. {AGAIN}")
    check_input(inputs[0].shape, traits, path)
    return OnnxNetwork(session, traits, path)


def _providers(available: list[str]) -> list[str]:
    """CUDA if available, else the CPU; never a remote service."""
    return [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in available]

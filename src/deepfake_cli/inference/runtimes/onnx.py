"""Exported detectors on ONNX Runtime."""

from pathlib import Path
from typing import Any

import numpy as np

from deepfake_cli.errors import ModelError
from deepfake_cli.inference.runtimes.metadata import KEY, Traits

PROBABILITY, HEAT = "probability", "heat"  # names of the outputs


class OnnxNetwork:
    """See `deepfake_cli.inference.runtimes.Network`."""

    def __init__(self, session: Any, traits: Traits):
        self._session, self.traits = session, traits
        self.runs_on = f"ONNX Runtime, {session.get_providers()[0].removesuffix('ExecutionProvider')}"
        self._input = session.get_inputs()[0].name
        self.maps = HEAT in {each.name for each in session.get_outputs()}

    def scores(self, crops: np.ndarray) -> np.ndarray:
        """See `deepfake_cli.inference.runtimes.Network`."""
        (found,) = self._session.run([PROBABILITY], {self._input: crops})
        return found[:, 0].astype(np.float64)

    def heat(self, crops: np.ndarray) -> np.ndarray:
        """See `deepfake_cli.inference.runtimes.Network`."""
        (found,) = self._session.run([HEAT], {self._input: crops})
        return found


def onnx(path: Path, threads: int | None = None) -> OnnxNetwork:
    """Load an exported detector for ONNX Runtime, on a GPU if that package is the one installed."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 4  # what matters is raised
    settings.intra_op_num_threads = threads or 0
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")  # decoding needs the cores meanwhile
    try:
        session = onnxruntime.InferenceSession(
            str(path), settings, providers=_providers(onnxruntime.get_available_providers())
        )
    except Exception as error:  # noqa: BLE001 - its errors share no class of their own
        raise ModelError(f"{path} can't be loaded: {' '.join(str(error).split())[:300]}") from None
    return OnnxNetwork(session, Traits.parse(session.get_modelmeta().custom_metadata_map.get(KEY), path))


def _providers(there: list[str]) -> list[str]:
    """A GPU where there is one; a remote service never."""
    return [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in there]

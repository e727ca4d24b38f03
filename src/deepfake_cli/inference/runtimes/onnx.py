"""ONNX Runtime."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from deepfake_cli.assets import STARTER
from deepfake_cli.errors import ModelError
from deepfake_cli.inference.runtimes.checked import probabilities
from deepfake_cli.inference.runtimes.cuda_libraries import CPU, CUDA, has_cuda, load_libraries
from deepfake_cli.inference.runtimes.metadata import KEY, Traits
from deepfake_cli.inference.runtimes.tried import PROBABILITY, run, session_of, tried
from deepfake_cli.native_output import quiet

HEAT = "heat"  # name of an output, as `PROBABILITY`


class OnnxNetwork:
    """A detector in ONNX Runtime; see `deepfake_cli.inference.runtimes.Network`."""

    def __init__(self, session: Any, traits: Traits, path: Path):
        self._session, self.traits, self._path = session, traits, path
        self.provider = session.get_providers()[0]
        unused = " (no usable GPU)" if has_cuda() and self.provider == CPU else ""
        self.runs_on = f"ONNX Runtime, {self.provider.removesuffix('ExecutionProvider')}{unused}"
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
    """Load an exported detector in ONNX Runtime: on a GPU if its package for GPUs is installed and finds one, else on the CPU."""
    return load_on(path, threads, [CUDA, CPU] if has_cuda() else [CPU])


def load_on(path: Path, threads: int | None, providers: list[str]) -> OnnxNetwork:
    """Load an exported detector on the first of these providers of ONNX Runtime that works."""
    import onnxruntime

    if path != STARTER:  # the shipped file needs no trial
        tried(path)
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 4  # errors are raised anyway
    settings.intra_op_num_threads = threads or 0
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")  # leaves the cores to decoding
    if CUDA in providers:
        load_libraries()
    try:
        with quiet() if CUDA in providers else nullcontext():  # it prints which library is missing
            session = session_of(path, settings, providers)
    except ModelError:
        if CUDA not in providers:
            raise
        session = session_of(path, settings, [CPU])  # without a driver; if it is the file's fault, this fails as well
    return OnnxNetwork(session, Traits.parse(session.get_modelmeta().custom_metadata_map.get(KEY), path), path)

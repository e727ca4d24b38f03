"""Detect face deepfakes: from raw data sets to a trained, honestly evaluated detector, and from a file to a verdict.

The public names, each loaded when it is first asked for:

- `Detector`: judges videos and images, without TensorFlow.
- `split`, `make_csv`, `train`, `evaluate`, `predict`: the commands, with their options by keyword or as a settings model.
- `build_model`: a detector's architecture as a Keras model.
- `Clip`, `Box`: what an adapter of your own yields, and what a face detector of your own returns.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# OpenCV reads it as it loads; its own limit, 2**30, lets a small file take 3 GB.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**26))
# ONNX Runtime reads it as it loads; from 1.29 on its wheels tell Microsoft of each model that is run, and of this machine.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from deepfake_cli.commands.public import evaluate, make_csv, predict, split, train
    from deepfake_cli.datasets.clip import Clip
    from deepfake_cli.faces.box import Box
    from deepfake_cli.inference.detector import Detector
    from deepfake_cli.models import build_model

__version__ = "0.1.0"
__all__ = [
    "Box",
    "Clip",
    "Detector",
    "__version__",
    "build_model",
    "evaluate",
    "make_csv",
    "predict",
    "split",
    "train",
]

_MODULES = {
    "Box": "faces.box",
    "Clip": "datasets.clip",
    "Detector": "inference.detector",
    "build_model": "models",
} | dict.fromkeys(("evaluate", "make_csv", "predict", "split", "train"), "commands.public")


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for: the command's start can't wait for them."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

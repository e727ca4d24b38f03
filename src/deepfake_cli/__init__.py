"""Detect face deepfakes: train and evaluate detectors, and classify files.

Public names, imported lazily:

- `Detector`: classifies videos and images, without TensorFlow.
- `split`, `make_csv`, `train`, `evaluate`, `predict`: the commands, with options as keywords or as a settings model.
- `build_model`: a Keras model by the name of its architecture.
- `load_dataset`: lists of frames as a tf.data pipeline of images and labels.
- `measure`: metrics with intervals, from arrays of labels and scores.
- `Clip`, `Box`: returned by your own adapters and face detectors.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# OpenCV reads this on import; its default, 2**30, lets a small file use 3 GB.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**26))
# ONNX Runtime reads this on import; from 1.29 on its wheels send telemetry to Microsoft.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from deepfake_cli.commands.public import evaluate, make_csv, predict, split, train
    from deepfake_cli.datasets.clip import Clip
    from deepfake_cli.faces.box import Box
    from deepfake_cli.inference.detector import Detector
    from deepfake_cli.metrics.measure import measure
    from deepfake_cli.models import build_model
    from deepfake_cli.training.dataset import load_dataset

__version__ = "0.1.0"
__all__ = [
    "Box",
    "Clip",
    "Detector",
    "__version__",
    "build_model",
    "evaluate",
    "load_dataset",
    "make_csv",
    "measure",
    "predict",
    "split",
    "train",
]

_MODULES = {
    "Box": "faces.box",
    "Clip": "datasets.clip",
    "Detector": "inference.detector",
    "build_model": "models",
    "load_dataset": "training.dataset",
    "measure": "metrics.measure",
} | dict.fromkeys(("evaluate", "make_csv", "predict", "split", "train"), "commands.public")


def __getattr__(name: str) -> Any:
    """Import public names lazily, for a fast start of the command."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from deepfake_cli.installation import explained

    with explained(f"{__name__}.{name}"):
        value = globals()[name] = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

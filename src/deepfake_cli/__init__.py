"""Detect face deepfakes: from raw data sets to a trained, honestly evaluated detector, and from a file to a verdict."""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# OpenCV reads it as it loads; its own limit, 2**30, lets a small file take 3 GB.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**26))
# ONNX Runtime reads it as it loads; from 1.29 on its wheels tell Microsoft of each model that is run, and of this machine.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from deepfake_cli.inference.detector import Detector

__version__ = "0.1.0"
__all__ = ["Detector", "__version__"]


def __getattr__(name: str) -> Any:
    """Load `Detector` when it is asked for: the command's start can't wait for it."""
    if name == "Detector":
        return import_module("deepfake_cli.inference.detector").Detector
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

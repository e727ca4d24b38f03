"""Finding faces and cutting them out."""

from collections.abc import Callable

import numpy as np

from deepfake_cli.faces.box import Box
from deepfake_cli.faces.rfb320 import rfb320

Detector = Callable[[np.ndarray], list[Box]]

DETECTORS: dict[str, Callable[[float], Detector]] = {
    "rfb320": rfb320,  # Ultra-Light-Fast-Generic-Face-Detector, 1.2 MB, shipped in the package
}

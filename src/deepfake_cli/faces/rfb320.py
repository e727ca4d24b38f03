"""RFB-320, the face detector in this package (Ultra-Light-Fast-Generic-Face-Detector, Linzaer 2019, MIT licence)."""

from collections.abc import Callable

import cv2
import numpy as np

from deepfake_cli.assets import FACE_DETECTOR
from deepfake_cli.faces.box import Box

WIDTH, HEIGHT = 320, 240
SCALED = ((np.arange(256) - 127) / 128).astype(np.float32)  # network input for each pixel value
NMS_IOU = 0.3  # boxes that overlap more are the same face


def rfb320(min_score: float = 0.7) -> Callable[[np.ndarray], list[Box]]:
    """Load the face detector.

    Args:
        min_score: minimum score of a face, in 0..1.

    Returns:
        A function from an image, uint8 BGR (height, width, 3), to its faces, highest score first. It uses one thread,
        since `split` runs one process per core.
    """
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(FACE_DETECTOR), settings, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def detect(image: np.ndarray) -> list[Box]:
        small = cv2.cvtColor(cv2.resize(image, (WIDTH, HEIGHT)), cv2.COLOR_BGR2RGB)
        (output,) = session.run(None, {name: cv2.LUT(small, SCALED)[None]})
        rows = output[0][output[0, :, 1] >= min_score]
        return _boxes(rows, image.shape[1], image.shape[0])

    return detect


def _boxes(rows: np.ndarray, width: int, height: int) -> list[Box]:
    """Scale rows (background, face, x0, y0, x1, y1) to pixels, and apply non-maximum suppression."""
    rows = rows[np.argsort(-rows[:, 1], kind="stable")]
    corners = rows[:, 2:] * np.array((width, height, width, height))
    kept: list[Box] = []
    while len(rows):
        x0, y0, x1, y1 = corners[0].tolist()
        kept.append(Box(x0, y0, x1, y1, float(rows[0, 1])))
        apart = _overlaps(corners) <= NMS_IOU
        apart[0] = False
        rows, corners = rows[apart], corners[apart]
    return kept


def _overlaps(corners: np.ndarray) -> np.ndarray:
    """IoU of the first box with each box, float64 (n,)."""
    low, high = np.maximum(corners[:, :2], corners[0, :2]), np.minimum(corners[:, 2:], corners[0, 2:])
    shared = np.maximum(high - low, 0).prod(axis=1)
    areas = np.maximum(corners[:, 2:] - corners[:, :2], 0).prod(axis=1)
    return shared / np.maximum(areas + areas[0] - shared, 1e-9)

"""How far a face is turned, from a few of its frames, which are kept until it is known which face decides."""

from functools import lru_cache

import cv2
import numpy as np

from deepfake_cli.faces.box import Box
from deepfake_cli.faces.crop import crop
from deepfake_cli.faces.mesh import face_mesh
from deepfake_cli.faces.turn import turn

MOST = 4  # frames measured of a face
SIDE, MARGIN = 256, 1.7  # of what is kept: as sharp as the input of the face mesh, and what it crops of a tilted head
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 95]  # about 20 kB a frame, since a crowd may have thousands of faces

LOW, HIGH = SIDE * (1 - 1 / MARGIN) / 2, SIDE * (1 + 1 / MARGIN) / 2
FACE = Box(LOW, LOW, HIGH, HIGH)  # the face in what is kept

MESH = lru_cache(maxsize=1)(face_mesh)


class Views:
    """Evenly spread frames of each face, of files of any length.

    Args:
        expected: number of frames; 0 if unknown. It only saves keeping frames that are dropped later.
    """

    def __init__(self, expected: int = 0) -> None:
        self._step = max(1, expected // (2 * MOST))
        self._seen: dict[int, int] = {}
        self._kept: dict[int, list[np.ndarray]] = {}

    def offer(self, track: int, image: np.ndarray, box: Box) -> None:
        """Keep this face if it is one of the evenly spread frames.

        Args:
            track: number of the face.
            image: uint8 BGR (height, width, 3).
            box: the face, in its pixels.
        """
        seen, kept = self._seen.get(track, 0), self._kept.setdefault(track, [])
        self._seen[track] = seen + 1
        step = self._step
        while seen >= 2 * MOST * step:
            step *= 2
        if seen % step:
            return
        if len(kept) == 2 * MOST:
            del kept[1::2]
        view = crop(image, box, margin=MARGIN, size=SIDE)
        kept.append(cv2.imencode(".jpg", view, QUALITY)[1])

    def turn(self, track: int) -> float | None:
        """Median of the turn of a face, without its side, of at most `MOST` frames; None if its landmarks were not found."""
        kept = self._kept.get(track, [])
        places = np.unique(np.linspace(0, len(kept) - 1, min(MOST, len(kept))).round().astype(int))
        images = (np.asarray(cv2.imdecode(kept[place], cv2.IMREAD_COLOR)) for place in places)
        found = [turn(image, FACE, MESH()) for image in images]
        known = [abs(value) for value in found if value is not None]
        return float(np.median(known)) if known else None

"""The faces of a file, a crop at a time, and whether each is fit to be judged."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import cv2
import numpy as np

from deepfake_cli.faces.box import Box
from deepfake_cli.faces.crop import crop

SMALLEST = 40  # pixels, the longer side of a face's box: below, crops hold little but what scaling invents
DULLEST = 3.5  # grey levels, see `sharpness`: webcams have 6 and more, a face blurred by 4 of 224 pixels has 2 to 4
PATCH = 112  # side of the picture that sharpness is measured on, so that it does not depend on the source's size

Faces = Iterable[tuple[int, np.ndarray | None, dict[int, Box]]]


class Face(NamedTuple):
    """A face in a frame.

    Attributes:
        frame: index in the source.
        track: number of the face that it belongs to.
        box: where it is, in pixels.
        crop: uint8 RGB (size, size, 3), as the detector takes it.
        fault: why it can't be judged; empty if it can.
    """

    frame: int
    track: int
    box: Box
    crop: np.ndarray
    fault: str


def faces(stream: Faces, *, size: int, margin: float, every_face: bool) -> Iterator[tuple[int, bool, list[Face]]]:
    """Cut the faces out of a stream of frames that were followed (`deepfake_cli.faces.tracking`).

    Args:
        stream: index, image (None: unreadable) and boxes by track.
        size: side of the crops, in pixels.
        margin: side of a crop, in longer sides of the box.
        every_face: all faces of a frame; else its largest.

    Yields:
        The frame's index, whether it could be read, and its faces.
    """
    for index, image, found in stream:
        if image is None:
            yield index, False, []
            continue
        boxes = sorted(found.items(), key=lambda item: -item[1].area)
        cut = [_cut(index, track, image, box, size, margin) for track, box in boxes[: None if every_face else 1]]
        yield index, True, cut


def whole(
    images: Iterable[tuple[int, np.ndarray | None]], *, size: int, margin: float
) -> Iterator[tuple[int, bool, list[Face]]]:
    """Take images that are face crops already, as `faces` yields them.

    Args:
        images: index, and the image (None: unreadable).
        size: side of the crops that the detector takes, in pixels.
        margin: side of a crop, in longer sides of the box: the whole image is taken for such a crop, its middle for the face.
    """
    for index, image in images:
        if image is None:
            yield index, False, []
            continue
        height, width = image.shape[:2]
        side = max(height, width) / margin
        x, y = (width - side) / 2, (height - side) / 2
        yield index, True, [_cut(index, 0, image, Box(x, y, x + side, y + side), size, margin)]


def _cut(index: int, track: int, image: np.ndarray, box: Box, size: int, margin: float) -> Face:
    face = crop(image, box, margin=margin, size=size)
    side = max(box.x1 - box.x0, box.y1 - box.y0)
    fault = "too small" if side < SMALLEST else "too blurred" if sharpness(face, margin) < DULLEST else ""
    return Face(index, track, box, cv2.cvtColor(face, cv2.COLOR_BGR2RGB), fault)


def sharpness(face: np.ndarray, margin: float) -> float:
    """How much fine detail a face has: the spread of its Laplacian, in grey levels (Pertuz et al., 2013: LAPV).

    Args:
        face: uint8 (side, side, 3), a square crop.
        margin: its side in sides of the face, of which only the inner part is looked at.
    """
    side = face.shape[0]
    edge = round(side * (1 - 1 / margin) / 2)
    grey = cv2.cvtColor(face[edge : side - edge, edge : side - edge], cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (PATCH, PATCH), interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(small, cv2.CV_32F).std())

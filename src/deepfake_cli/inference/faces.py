"""Crop the faces of a file, and check whether they can be judged."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import cv2
import numpy as np

from deepfake_cli.faces.box import Box
from deepfake_cli.faces.crop import crop
from deepfake_cli.inference.views import Views

SMALLEST = 40  # pixels, longer side of the box: smaller faces are mostly interpolation
DULLEST = 3.5  # grey levels, see `sharpness`: webcams have 6 or more, a face blurred by 4 of 224 pixels has 2 to 4
PATCH = 112  # side of the image for measuring sharpness, so that it is independent of the source size

Faces = Iterable[tuple[int, np.ndarray | None, dict[int, Box]]]


class Face(NamedTuple):
    """A face in a frame.

    Attributes:
        frame: index in the source.
        track: number of the track.
        box: in pixels.
        crop: uint8 RGB (size, size, 3), the input of the detector.
        fault: why it cannot be judged; empty if it can.
        sharpness: see `sharpness`.
        light: mean grey level of the face, in 0..255.
    """

    frame: int
    track: int
    box: Box
    crop: np.ndarray
    fault: str
    sharpness: float
    light: float


def faces(
    stream: Faces, views: Views, *, size: int, margin: float, every_face: bool, resize: str = "linear"
) -> Iterator[tuple[int, bool, list[Face]]]:
    """Crop the faces of a stream of tracked frames (see `deepfake_cli.faces.tracking`).

    Args:
        stream: index, image (None: unreadable) and boxes by track.
        views: is offered all faces that can be judged.
        size: side of the crops, in pixels.
        margin: side of a crop, relative to the longer side of the box.
        every_face: whether to crop all faces of a frame, or only the largest.
        resize: as in `deepfake_cli.faces.crop.crop`.

    Yields:
        The frame index, whether the frame could be read, and its faces.
    """
    for index, image, tracked in stream:
        if image is None:
            yield index, False, []
            continue
        boxes = sorted(tracked.items(), key=lambda item: -item[1].area)
        chosen = boxes[: None if every_face else 1]
        crops = [_cut(index, track, image, box, views, size, margin, resize) for track, box in chosen]
        yield index, True, crops


def whole(
    images: Iterable[tuple[int, np.ndarray | None]],
    views: Views,
    *,
    size: int,
    margin: float,
    own: float,
    resize: str = "linear",
) -> Iterator[tuple[int, bool, list[Face]]]:
    """Use images that are face crops already; yields the same as `faces`.

    Args:
        images: index and image (None: unreadable).
        views: is offered all faces that can be judged.
        size: input size of the detector, in pixels.
        margin: side of a crop that the detector expects, relative to the longer side of the face box.
        own: the same of the images, whose centre is the face's; what they have beyond `margin` is cut off.
        resize: as in `deepfake_cli.faces.crop.crop`.
    """
    for index, image in images:
        if image is None:
            yield index, False, []
            continue
        height, width = image.shape[:2]
        side = max(height, width) / own
        x, y = (width - side) / 2, (height - side) / 2
        yield index, True, [_cut(index, 0, image, Box(x, y, x + side, y + side), views, size, min(margin, own), resize)]


def _cut(
    index: int, track: int, image: np.ndarray, box: Box, views: Views, size: int, margin: float, resize: str
) -> Face:
    face = crop(image, box, margin=margin, size=size, resize=resize)
    side = max(box.x1 - box.x0, box.y1 - box.y0)
    grey = _inner(face, margin)
    sharp, light = sharpness(grey), float(grey.mean())
    fault = "too small" if side < SMALLEST else "too blurred" if sharp < DULLEST else ""
    if not fault:
        views.offer(track, image, box)
    return Face(index, track, box, cv2.cvtColor(face, cv2.COLOR_BGR2RGB), fault, sharp, light)


def sharpness(grey: np.ndarray) -> float:
    """Sharpness of a face: standard deviation of its Laplacian, in grey levels (Pertuz et al., 2013: LAPV).

    Args:
        grey: uint8 (PATCH, PATCH), so that it is independent of the size of the source.
    """
    return float(cv2.Laplacian(grey, cv2.CV_32F).std())


def _inner(face: np.ndarray, margin: float) -> np.ndarray:
    """The face in a square crop with a margin: its inner part, in grey, uint8 (PATCH, PATCH)."""
    side = face.shape[0]
    edge = round(side * (1 - 1 / margin) / 2)
    grey = cv2.cvtColor(face[edge : side - edge, edge : side - edge], cv2.COLOR_BGR2GRAY)
    return cv2.resize(grey, (PATCH, PATCH), interpolation=cv2.INTER_AREA)

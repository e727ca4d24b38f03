"""Display geometry: crop a decoded frame to its clean aperture, scale it to square pixels, rotate it."""

import io
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    import av

ORIENTATIONS = {  # of EXIF, as a, b, c, d of a display matrix; see `upright`
    1: (1, 0, 0, 1), 2: (-1, 0, 0, 1), 3: (-1, 0, 0, -1), 4: (1, 0, 0, -1),
    5: (0, 1, 1, 0), 6: (0, 1, -1, 0), 7: (0, -1, -1, 0), 8: (0, -1, 1, 0),
}  # fmt: skip
SKEW = 0.02  # sine of the largest angle that counts as upright
NESTED = {b"\x18\x53\x80\x67", b"\x16\x54\xae\x6b", b"\xae", b"\xe0"}  # Matroska's Segment, Tracks, TrackEntry, Video
CROPS = {b"\x54\xbb": "top", b"\x54\xaa": "bottom", b"\x54\xcc": "left", b"\x54\xdd": "right"}  # its PixelCrop elements


class Crop(NamedTuple):
    """Margins cropped by the container, in pixels: clean aperture in MP4, PixelCrop in Matroska."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Crop an image (height, width, 3); returns the whole image if nothing would be left."""
        height, width = image.shape[:2]
        part = image[self.top : height - self.bottom, self.left : width - self.right]
        return part if part.size else image


def crop_of(container: "av.container.InputContainer", stream: "av.VideoStream") -> Crop:
    """Read the crop of a stream.

    PyAV does not expose it. So FFmpeg writes the header of the stream as Matroska, in memory, and the crop is read from there.
    """
    import av

    if not {"mov", "matroska"} & set(container.format.name.split(",")):
        return Crop()
    header = io.BytesIO()
    try:
        with av.open(header, "w", format="matroska") as output:
            output.add_stream_from_template(stream, opaque=True)
            output.start_encoding()
            written = header.getvalue()
    except (av.FFmpegError, ValueError):  # codec not allowed in Matroska
        return Crop()
    found = {CROPS[name]: int.from_bytes(value) for name, value in _elements(written) if name in CROPS}
    return Crop(**found)


def _elements(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The elements of a Matroska header, as ID and content, also the nested ones."""
    while len(data) > 1:
        name, data = data[: (length := 9 - data[0].bit_length())], data[length:]
        length = 9 - data[0].bit_length()
        size = int.from_bytes(data[:length]) & ((1 << 7 * length) - 1)
        content, data = data[length : length + size], data[length + size :]
        if name in NESTED:
            yield from _elements(content)
        else:
            yield name, content


def widened(image: np.ndarray, aspect: Fraction) -> np.ndarray:
    """Scale an image to square pixels, keeping its height, as ffplay does.

    Args:
        image: (height, width, 3).
        aspect: sample aspect ratio: width of a pixel divided by its height.
    """
    height, width = image.shape[:2]
    shown = max(1, round(width * aspect))
    if shown == width:
        return image
    method = cv2.INTER_CUBIC if shown > width else cv2.INTER_AREA
    return cv2.resize(image, (shown, height), interpolation=method)


def of_angle(degrees: int) -> np.ndarray:
    """The display matrix of a rotation counterclockwise, for `upright`."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return _matrix(cos, -sin, sin, cos)


def of_exif(orientation: int) -> np.ndarray:
    """The display matrix of an orientation of EXIF, 1 to 8; others count as 1."""
    return _matrix(*ORIENTATIONS.get(orientation, ORIENTATIONS[1]))


def _matrix(a: float, b: float, c: float, d: float) -> np.ndarray:
    return np.array([a, b, 0, c, d, 0, 0, 0, 1])


def upright(image: np.ndarray, matrix: np.ndarray) -> np.ndarray | None:
    """Rotate and mirror an image by a display matrix.

    Args:
        image: (height, width, 3).
        matrix: its nine numbers a, b, u, c, d, v, x, y, w: a pixel goes to (a x + c y, b x + d y).

    Returns:
        The image; None if the rotation is not a multiple of 90 degrees.
    """
    turn = matrix[[0, 1, 3, 4]].astype(float)
    turn[np.abs(turn) <= SKEW * np.abs(turn).max()] = 0
    a, b, c, d = (int(sign) for sign in np.sign(turn))
    if (bool(a), bool(b)) != (bool(d), bool(c)) or bool(a) == bool(b):
        return None
    if not a:
        image, a, d = image.transpose(1, 0, 2), c, b
    return np.ascontiguousarray(image[::d, ::a])

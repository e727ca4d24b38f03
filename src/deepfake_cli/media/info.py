"""Header information of videos and images: codec, frame rate, size."""

from pathlib import Path
from typing import NamedTuple

MOST_PIXELS = 2**26  # of a picture, 8192 x 8192: 200 MB as BGR; a few bytes of a bad file can claim far more


class Facts(NamedTuple):
    """Header information of a source; it may be wrong.

    Attributes:
        codec: as named by FFmpeg: ``"h264"``; for images, the format: ``"jpeg"``. Empty if unknown.
        fps: frames per second; 0 if unknown, and for images.
        width: in pixels, of the first image of a folder.
        height: in pixels.
    """

    codec: str
    fps: float
    width: int
    height: int

    def cells(self) -> dict[str, str]:
        """The columns `manifest.SOURCE_COLUMNS` of a manifest; empty if unknown."""
        return {
            name: f"{value:g}" if value and name != "codec" else str(value or "")
            for name, value in self._asdict().items()
        }


def of_image(path: Path) -> Facts:
    """Read the header of an image, whatever its suffix; all unknown if it is not an image."""
    from PIL import Image, UnidentifiedImageError

    if not path.is_file():  # opening a pipe would block
        return Facts("", 0.0, 0, 0)
    try:
        with Image.open(path) as image:  # reads only the header
            return Facts(str(image.format).lower(), 0.0, *image.size)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return Facts("", 0.0, 0, 0)

"""Header information of videos and images: codec, frame rate, size."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from deepfake_cli.errors import VideoError

if TYPE_CHECKING:
    from PIL import Image

MOST_PIXELS = 2**26  # of a picture, 8192 x 8192: 200 MB as BGR; a few bytes of a bad file can claim far more

TOO_LARGE = f"more than {MOST_PIXELS:,} pixels, the limit; make it smaller"
ORIENTATION = 0x0112  # the EXIF tag


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


@contextmanager
def opened(source: Path | BytesIO, formats: Sequence[str] | None = None) -> Iterator["Image.Image"]:
    """Open an image with Pillow, which reads only the header, without its warnings.

    Args:
        source: the file.
        formats: Pillow's names of those to try; None for all.

    Raises:
        VideoError: it cannot be read, here or in the block; the message has the reason, without the file.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(source, formats=formats) as image:
                yield image
    except VideoError:
        raise
    except Image.DecompressionBombError:
        raise VideoError(TOO_LARGE) from None
    except Exception:  # noqa: BLE001 - Pillow has no common exception class
        raise VideoError("not an image, or damaged") from None


def of_image(path: Path) -> Facts:
    """Read the header of an image, whatever its suffix; all unknown if it is not an image."""
    if not path.is_file():  # opening a pipe would block
        return Facts("", 0.0, 0, 0)
    try:
        with opened(path) as image:
            return Facts(str(image.format).lower(), 0.0, *image.size)
    except VideoError:
        return Facts("", 0.0, 0, 0)


def exif_orientation(data: bytes) -> int:
    """The orientation in the EXIF of an image, 1 to 8; 1 if there is none."""
    try:
        with opened(BytesIO(data)) as image:
            return int(image.getexif().get(ORIENTATION, 1))
    except VideoError:
        return 1

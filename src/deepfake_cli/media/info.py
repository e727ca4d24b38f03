"""What a header says of a video or an image: codec, frame rate, size."""

from pathlib import Path
from typing import NamedTuple


class Facts(NamedTuple):
    """What a source's header says; headers may lie.

    Attributes:
        codec: FFmpeg's name: ``"h264"``; of images, their format by content: ``"jpeg"``. Empty if unknown.
        fps: frames a second; 0 if unknown, as it always is of images.
        width: in pixels, of the first image where there are several.
        height: in pixels.
    """

    codec: str
    fps: float
    width: int
    height: int

    def cells(self) -> dict[str, str]:
        """The facts as a manifest has them (`manifest.SOURCE_COLUMNS`): what is unknown is empty."""
        return {
            name: f"{value:g}" if value and name != "codec" else str(value or "")
            for name, value in self._asdict().items()
        }


def of_image(path: Path) -> Facts:
    """Read the facts of an image, by content and not by suffix; all unknown if it is none."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:  # reads the header alone
            return Facts(str(image.format).lower(), 0.0, *image.size)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return Facts("", 0.0, 0, 0)

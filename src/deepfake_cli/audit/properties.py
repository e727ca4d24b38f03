"""Properties of images and of their source videos, by column name."""

from typing import NamedTuple


class Property(NamedTuple):
    """One property.

    Attributes:
        title: for display.
        unit: of the values; empty if there is none.
        words: values are words, not numbers.
    """

    title: str
    unit: str = ""
    words: bool = False


IMAGE: dict[str, Property] = {  # of the image: from its file and pixels
    "width": Property("image width", "px"),
    "height": Property("image height", "px"),
    "format": Property("image format", words=True),
    "file_size": Property("file size", "kB"),
    "bytes_per_pixel": Property("bytes per pixel"),
    "jpeg_quality": Property("JPEG quality"),
    "sharpness": Property("sharpness"),
    "brightness": Property("brightness"),
    "contrast": Property("contrast"),
    "face_size": Property("face size", "px"),
    "face_share": Property("face / height"),
}
SOURCE: dict[str, Property] = {  # of the source video: from the manifest
    "codec": Property("codec", words=True),
    "fps": Property("frame rate", "1/s"),
    "source_width": Property("video width", "px"),
    "source_height": Property("video height", "px"),
}

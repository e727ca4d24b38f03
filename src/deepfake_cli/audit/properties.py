"""What is measured of each image and known of each source video, by column name."""

from typing import NamedTuple


class Property(NamedTuple):
    """One property.

    Attributes:
        title: what people read.
        unit: of its values; empty for a number without one, or for words.
        words: it is a word, not a number.
    """

    title: str
    unit: str = ""
    words: bool = False


IMAGE: dict[str, Property] = {  # of the listed image, from its file and its pixels
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
SOURCE: dict[str, Property] = {  # of the video that the image was cut from, from the manifest
    "codec": Property("codec", words=True),
    "fps": Property("frame rate", "1/s"),
    "source_width": Property("video width", "px"),
    "source_height": Property("video height", "px"),
}

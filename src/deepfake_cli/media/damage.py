"""What a decoder complains of while it decodes all the same: OpenCV and PyAV keep it to themselves.

JPEG and most video codecs have no checksum, so a wrong byte may decode to other pixels without a complaint. PNG, AVIF and HEIC
are refused if their pixels are damaged. Of TIFF only LZW and deflate are told; WebP, JPEG 2000 and BMP that decode are not.
"""

import logging
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

OTHER_KINDS = ("color conversion", "precision", "arithmetic")  # in libjpeg's words for what is no damage
WARNINGS = (
    "Corrupt JPEG data",
    "Premature end of JPEG file",
    "Inconsistent progression",
    "Invalid SOS parameters",
    "Unknown Adobe",
    "Application transferred",
)  # of libjpeg, all of them; what begins in another way is an error
JPEG, PNG, TIFF = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", (b"II*\0", b"MM\0*")


def of_image(data: bytes) -> str | None:
    """What is wrong with the data of a JPEG, PNG or TIFF, in a few words; None for other formats, and if nothing is known.

    OpenCV may decode it all the same.
    """
    check = _of_jpeg if data[:3] == JPEG else _of_png if data[:8] == PNG else _of_tiff if data[:4] in TIFF else None
    return check(data) if check else None


def _of_jpeg(data: bytes) -> str | None:
    said = _said(data)
    return f"damaged JPEG: {said.removeprefix('Corrupt JPEG data: ')}" if said else None


def gives_up(data: bytes) -> bool:
    """Whether libjpeg ends a JPEG with an error, as TensorFlow does; OpenCV shows the part before it."""
    said = _said(data) if data[:3] == JPEG else ""
    return bool(said) and not said.startswith(WARNINGS)


def _said(data: bytes) -> str:
    """The first warning or the error of libjpeg; empty if there is none, or it does not know this kind of JPEG."""
    from simplejpeg import decode_jpeg, decode_jpeg_header

    try:
        space = "CMYK" if decode_jpeg_header(data)[2] in ("CMYK", "YCCK") else "GRAY"
    except ValueError:
        return ""
    try:
        decode_jpeg(data, space, strict=True)  # a third of OpenCV's time
    except ValueError as error:
        return "" if any(word in str(error) for word in OTHER_KINDS) else str(error)
    return ""


def _of_png(data: bytes) -> str | None:
    """The first chunk whose checksum is wrong."""
    at = len(PNG)
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4])
        body, stored = data[at + 4 : at + 8 + size], data[at + 8 + size : at + 12 + size]
        if zlib.crc32(body) != int.from_bytes(stored):
            return f"damaged PNG: the checksum of its part {body[:4].decode('latin-1')} is wrong"
        at += 12 + size
    return None


def _of_tiff(data: bytes) -> str | None:
    """An error of libtiff, from Pillow: OpenCV shows the part before it. Pillow does not read all kinds."""
    from PIL import Image

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(BytesIO(data), formats=["TIFF"]) as image:
            image.load()
    except OSError as error:
        return "damaged TIFF: a part cannot be decoded" if str(error).startswith("decoder error") else None
    except Exception:  # noqa: BLE001 - Pillow has no common exception class
        return None
    return None


@contextmanager
def heard() -> Iterator[list[str]]:
    """Collect the errors that FFmpeg logs in this block, in this thread: what it conceals is no exception."""
    import av.logging

    if av.logging.get_level() != av.logging.ERROR:
        av.logging.set_level(av.logging.ERROR)
        av.logging.set_skip_repeated(False)
        logger = logging.getLogger("libav")  # gets what is logged outside of such a block
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
    said: list[str] = []
    with av.logging.Capture(True) as logs:
        yield said
    said += [text.strip() for _, _, text in logs]

"""Read image files, the same way in split, train, evaluate and predict."""

import io
import re
from pathlib import Path

import cv2
import numpy as np

from deepfake_cli.errors import MissingFileError, VideoError
from deepfake_cli.media import tone
from deepfake_cli.media.damage import gives_up
from deepfake_cli.media.info import MOST_PIXELS, TOO_LARGE, opened
from deepfake_cli.media.profile import has_profile, to_srgb
from deepfake_cli.storage.files import elsewhere, read_bytes

HEIF = re.compile(rb"(?s)....ftyp(?:avif|avis|heic|heix|heim|heis|hevc|hevx|hevm|hevs|mif1|mif2|msf1)")
AVIF = re.compile(rb"(?s)....ftyp.{0,64}avi[fs]")
IMAGE = re.compile(rb"(?s)\xff\xd8\xff|\x89PNG\r\n|RIFF....WEBP|II\*\0|MM\0\*|\0\0\0\x0cjP  |BM.{4}\0{4}")
GIF, STREAMS = b"GIF8", {".mjpeg", ".mjpg"}
CODED = re.compile(rb"(?s)colrnclx(..)(..)|\x00\x00\x00\x04cICP(.)(.)")  # primaries and transfer, of HEIF and of PNG
HEADER = 65536  # bytes that are searched for it


def read_image(path: Path) -> np.ndarray | None:
    """Read an image, whatever its suffix: uint8 BGR (height, width, 3); None if unreadable.

    Raises:
        StorageError: the object store cannot be reached.
    """
    try:
        return load_image(path)
    except (OSError, VideoError):
        return None


def load_image(path: Path) -> np.ndarray:
    """Read an image, whatever its suffix; see `decode_image`.

    Raises:
        VideoError: it cannot be decoded; the message has the reason, without the file.
        OSError: it cannot be read.
        StorageError: the object store cannot be reached.
    """
    return decode_image(image_bytes(path))


def image_bytes(path: Path) -> bytes:
    """The content of an image file; raises as `load_image`."""
    if not elsewhere(path) and not path.is_file():  # opening a pipe would block
        raise VideoError("not a regular file" if path.exists() else "no such file, or a link to nowhere")
    return read_bytes(path)


def load_existing(path: Path) -> np.ndarray:
    """As `load_image`, with messages that name the file.

    Raises:
        MissingFileError: there is no such file.
        VideoError: it cannot be decoded.
    """
    if not elsewhere(path) and not path.exists():
        raise MissingFileError(f"{path}: no such file.")
    try:
        return load_image(path)
    except VideoError as error:
        raise VideoError(f"{path}: {error}") from None


def decode_image(data: bytes) -> np.ndarray:
    """Decode an image as a viewer shows it: uint8 BGR (height, width, 3).

    The orientation of EXIF or of the container is applied, tiles are assembled, HDR is tone-mapped to BT.709, and colours are
    converted to sRGB, by a profile or by the primaries that the file names. Of several images the first is read. Opacity is
    ignored.

    Raises:
        VideoError: it cannot be decoded; the message has the reason.
    """
    if not data:
        raise VideoError("the file is empty")
    decode = _by_pillow if HEIF.match(data) else _by_ffmpeg if data[:4] == GIF else _by_opencv
    image = decode(data)
    coded = CODED.search(data[:HEADER])
    primaries, transfer = (int.from_bytes(each) for each in coded.groups() if each is not None) if coded else (0, 0)
    if transfer in tone.NAMES:
        return tone.to_sdr(image.astype(np.uint16) * 257, transfer, primaries)
    wide = primaries in tone.WIDE and not has_profile(data)  # which says more
    return tone.to_bt709(image, primaries) if wide else to_srgb(image, data)


def is_image(path: Path) -> bool:
    """Whether a file is an image by its content. FFmpeg must not read it: it reads one tile of HEIC, for example.

    A GIF counts as a video, and so does a stream of JPEGs, by its suffix.
    """
    if not path.is_file():  # opening a pipe would block
        return False
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError:
        return False
    return bool(HEIF.match(head) or IMAGE.match(head)) and path.suffix.lower() not in STREAMS


def count_images(path: Path) -> int:
    """Number of images in an animation or a TIFF; 1 if unknown."""
    if not path.is_file():  # opening a pipe would block
        return 1
    try:
        with opened(path) as image:
            return 1 if image.format == "MPO" else int(getattr(image, "n_frames", 1))  # others: previews, other lenses
    except VideoError:
        return 1


def _by_opencv(data: bytes) -> np.ndarray:
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        image = None
    if image is None or gives_up(data):
        raise VideoError(_why(data))
    return np.asarray(image)


def _by_ffmpeg(data: bytes) -> np.ndarray:
    """The first frame of a GIF, as `Video` decodes it: OpenCV fills transparent pixels with other colours."""
    import av

    try:
        with av.open(io.BytesIO(data), "r", format="gif", options={"max_pixels": str(MOST_PIXELS)}) as container:
            container.streams.video[0].codec_context.options = {"max_pixels": str(MOST_PIXELS)}
            return next(container.decode(video=0)).to_ndarray(format="bgr24")
    except (av.FFmpegError, StopIteration):
        raise VideoError(_why(data)) from None


def _by_pillow(data: bytes) -> np.ndarray:
    """HEIC and AVIF: OpenCV ignores their orientation, and has no HEIC."""
    from PIL import ImageOps

    if not AVIF.match(data) and not _registered():
        raise VideoError("HEIC needs pillow-heif: pip install pillow-heif, or convert it to JPEG")
    try:
        with opened(io.BytesIO(data)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise VideoError(TOO_LARGE)
            shown = ImageOps.exif_transpose(image).convert("RGB")
    except VideoError:
        raise VideoError(_why(data)) from None
    return np.ascontiguousarray(np.asarray(shown)[..., ::-1])


def _registered() -> bool:
    """Add HEIC to Pillow, if pillow-heif is installed."""
    try:
        from pillow_heif import register_heif_opener  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return False
    register_heif_opener()
    return True


def _why(data: bytes) -> str:
    """Why an image cannot be decoded, from its header."""
    try:
        with opened(io.BytesIO(data)) as image:
            large = image.width * image.height > MOST_PIXELS
            return TOO_LARGE if large else f"a {image.format} image that is truncated or damaged"
    except VideoError as error:
        return str(error)

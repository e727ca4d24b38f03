"""What an upload is, by its content: names are never believed, and FFmpeg is never left to guess."""

from pathlib import Path

from deepfake_cli.errors import VideoError
from deepfake_cli.media.decode import MOST_PIXELS

IMAGES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "BMP": ".bmp", "TIFF": ".tif"}  # Pillow's name, our suffix
# FFmpeg's names. No playlists among them (hls, dash, concat): these name other files, of this server, to be read. A bare
# stream of JPEGs passes for its first image.
VIDEOS = "mov,matroska,avi,asf,flv,mpegts,mpeg,mpegvideo,mxf,ogg,dv,yuv4mpegpipe,gif"
TAKEN = "MP4, MOV, MKV, WebM, AVI, WMV, MPEG, FLV, OGG, GIF; JPEG, PNG, WebP, BMP, TIFF"


def settle(path: Path) -> Path:
    """Check an upload, and give an image its suffix, by which `deepfake_cli.media.video.FrameSource` knows it.

    Args:
        path: the file; without a suffix, so that FFmpeg takes no hint from it.

    Returns:
        Where the file is now.

    Raises:
        VideoError: it is neither a video nor an image that is taken, or a larger image.
    """
    if not path.stat().st_size:
        raise VideoError("The file is empty.")
    suffix = _image(path)
    if suffix:
        return path.rename(path.with_suffix(suffix))
    _check_video(path)
    return path


def _image(path: Path) -> str:
    """The suffix of an image; empty if it is none. Only the header is read."""
    import warnings

    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the size is looked at here
            with Image.open(path, formats=list(IMAGES)) as image:
                (width, height), suffix = image.size, IMAGES[str(image.format)]
    except Image.DecompressionBombError:
        raise VideoError(f"The image is too large; up to {MOST_PIXELS:,} pixels are taken.") from None
    except (OSError, ValueError, SyntaxError):  # how Pillow says that it is no image, or a broken one
        return ""
    if width * height > MOST_PIXELS:
        raise VideoError(f"The image has {width:,} x {height:,} pixels; up to {MOST_PIXELS:,} are taken.")
    return suffix


def _check_video(path: Path) -> None:
    import av

    options = {"protocol_whitelist": "file", "format_whitelist": VIDEOS, "max_pixels": str(MOST_PIXELS)}
    try:
        with av.open(str(path), options=options, metadata_errors="replace") as container:
            found = bool(container.streams.video)
    except (av.FFmpegError, OSError):
        raise VideoError(f"The file is no video and no image that can be read. Taken are {TAKEN}.") from None
    if not found:
        raise VideoError(f"There is no picture in the file, only sound or text. Taken are {TAKEN}.")

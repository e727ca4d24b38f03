"""Detect the type of an upload by its content, not its name; FFmpeg never guesses the format."""

from pathlib import Path

from deepfake_cli.errors import VideoError
from deepfake_cli.media.container import demuxer
from deepfake_cli.media.info import MOST_PIXELS, TOO_LARGE, opened

IMAGES = {
    "JPEG": ".jpg",
    "MPO": ".jpg",  # several JPEG images in one file, as cameras write it; Pillow opens it with its JPEG plugin
    "PNG": ".png",
    "WEBP": ".webp",
    "BMP": ".bmp",
    "TIFF": ".tif",
}  # Pillow's format to our suffix
# FFmpeg's names. No playlists (hls, dash, concat): they can read other files of this server. A bare stream of JPEGs counts
# as its first image.
VIDEOS = "mov,matroska,avi,asf,flv,mpegts,mpeg,mpegvideo,mxf,ogg,dv,yuv4mpegpipe,gif"
TAKEN = "MP4, MOV, MKV, WebM, AVI, WMV, MPEG, FLV, OGG, GIF; JPEG, PNG, WebP, BMP, TIFF"


def settle(path: Path) -> Path:
    """Check an upload, and add the suffix of an image, which `deepfake_cli.media.video.FrameSource` needs.

    Args:
        path: the file, without a suffix, so that FFmpeg gets no hint.

    Returns:
        The new path.

    Raises:
        VideoError: the file is empty, of another format, or too large an image.
    """
    if not path.stat().st_size:
        raise VideoError("The file is empty.")
    suffix = _image(path)
    if suffix:
        return path.rename(path.with_suffix(suffix))
    _check_video(path)
    return path


def _image(path: Path) -> str:
    """Return the suffix of an image, or "" for other files; reads only the header."""
    try:
        with opened(path, [name for name in IMAGES if name != "MPO"]) as image:
            (width, height), suffix = image.size, IMAGES.get(str(image.format), "")
    except VideoError as error:
        if str(error) == TOO_LARGE:
            raise VideoError(f"Image too large: the limit is {MOST_PIXELS:,} pixels.") from None
        return ""
    if width * height > MOST_PIXELS:
        raise VideoError(f"Image too large: {width:,} x {height:,} pixels; the limit is {MOST_PIXELS:,}.")
    return suffix


def _check_video(path: Path) -> None:
    import av

    try:
        with demuxer(path, format_whitelist=VIDEOS) as container:
            has_video = bool(container.streams.video)
    except (av.FFmpegError, OSError):
        raise VideoError(f"Not a readable video or image. Supported formats: {TAKEN}.") from None
    if not has_video:
        raise VideoError(f"The file has no video stream. Supported formats: {TAKEN}.")

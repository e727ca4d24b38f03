"""Open a video file with FFmpeg, and choose the stream that is judged."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.errors import VideoError
from deepfake_cli.media.info import MOST_PIXELS

if TYPE_CHECKING:
    import av

DOLBY_VISION = ("dvh1", "dvhe", "dav1")  # tags of pictures that need its metadata; others are tagged hvc1 or av01
LIMIT = {"max_pixels": str(MOST_PIXELS)}  # checked by FFmpeg before it allocates a frame


def open_video(path: Path) -> tuple["av.container.InputContainer", "av.VideoStream", int]:
    """Open a file; returns its container, the stream to read and the number of other video streams.

    Raises:
        VideoError: it cannot be read as a video.
    """
    import av

    if not path.exists():
        raise VideoError(f"{path}: no such file, or a broken link")
    if not path.is_file():  # opening a pipe would block
        raise VideoError(f"{path}: not a regular file")
    if path.stat().st_size == 0:
        raise VideoError(f"{path}: the file is empty")
    try:
        container = demuxer(path)
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f"{path}: {_why(error)}") from None
    try:
        if container.format.name == "tty":  # FFmpeg would render any text as video
            raise VideoError(f"{path}: text, not a video")
        return container, *_stream(path, container)
    except BaseException:
        container.close()
        raise


def demuxer(path: Path, **options: str) -> "av.container.InputContainer":
    """Open a file with FFmpeg's `options`, and those that keep it small and off the network.

    Bytes of metadata that are not UTF-8 become surrogates, as in `os.fsdecode`: PyAV 19 always does so, 18 is asked to.

    Raises:
        av.FFmpegError, OSError: it cannot be read.
    """
    import av

    options |= {"protocol_whitelist": "file", **LIMIT}  # a playlist named .mp4 must not access the network
    errors: dict[str, Any] = {"metadata_errors": "surrogateescape"} if av.__version__.startswith("18.") else {}
    return av.open(str(path.absolute()), "r", options=options, **errors)


def _why(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "permission denied"
    return "no readable video stream: not a video, or truncated"


def _stream(path: Path, container: "av.container.InputContainer") -> tuple["av.VideoStream", int]:
    """The default video stream, and the number of others; cover images and previews are ignored."""
    import av
    from av.stream import Disposition

    still = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
    streams = [stream for stream in container.streams.video if not stream.disposition & still]
    if not streams:
        raise VideoError(f"{path}: no video stream, only {_others(container)}")
    default = [stream for stream in streams if stream.disposition & Disposition.default] or streams
    stream = max(default, key=_pixels)
    if stream.codec_context is None:
        raise VideoError(f"{path}: unknown codec; convert it with ffmpeg -i FILE NEW.mp4")
    if stream.codec_context.codec_tag in DOLBY_VISION:
        raise VideoError(
            f"{path}: Dolby Vision ({stream.codec_context.codec_tag}), whose colours only its own players show; export it as SDR "
            "or HDR10"
        )
    check_size(path, stream.width, stream.height)
    stream.codec_context.options = LIMIT
    stream.codec_context.thread_count = 1
    stream.codec_context.flags |= av.codec.context.Flags.unaligned  # allows exact cropping
    return stream, len(streams) - 1


def _pixels(stream: "av.VideoStream") -> int:
    """Width times height; 0 if the codec is unknown, since PyAV then has neither."""
    return (stream.width or 0) * (stream.height or 0) if stream.codec_context else 0


def _others(container: "av.container.InputContainer") -> str:
    kinds = {"a cover image" if stream.type == "video" else stream.type for stream in container.streams}
    return " and ".join(sorted(kinds)) or "a header"


def check_size(path: Path, width: int, height: int) -> None:
    """Check the size of a frame.

    Raises:
        VideoError: it is too large, or not known.
    """
    if not 0 < width * height <= MOST_PIXELS:
        size = f"frames of {width}x{height}" if width else "frames of unknown size"
        raise VideoError(f"{path}: {size}; the limit is {MOST_PIXELS:,} pixels")

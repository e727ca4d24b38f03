"""Decode video files with FFmpeg, through PyAV: the same frames in the same order as the ffmpeg program.

OpenCV is not used, since it decodes interlaced video to black frames without an error, has no AV1, ignores mirroring and
crops some videos wrongly. ``benchmarks/split.py`` compares the speed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from deepfake_cli.errors import VideoError
from deepfake_cli.media.info import Facts

if TYPE_CHECKING:
    import av

MOST_PIXELS = 2**26  # per frame, 8192 x 8192: 200 MB as BGR; damaged files may claim far more
LIMIT = {"max_pixels": str(MOST_PIXELS)}  # checked by FFmpeg before it allocates a frame
SKEW = 0.02  # sine of the largest angle that counts as upright


class Video:
    """A video file, open for decoding once, on one thread, since `split` runs one process per core.

    Attributes:
        facts: codec, frame rate and size, from the header.
        promised: number of frames according to the header, which may be wrong; 0 if unknown.
        missing: number of these frames that were missing; set after decoding.
        damaged: number of truncated or undecodable packets; set after decoding.

    Raises:
        VideoError: it cannot be read as a video.
    """

    def __init__(self, path: Path):
        from av.video.reformatter import VideoReformatter

        self.path = path
        self._container, self._stream = _open(path)
        self._converter = VideoReformatter()  # reused: creating one takes a tenth of the time of a frame
        codec, rate = self._stream.codec_context.codec, self._stream.average_rate
        self.facts = Facts(codec.canonical_name, round(float(rate or 0), 3), self._stream.width, self._stream.height)
        self.promised = max(0, self._stream.frames)
        self.missing = self.damaged = self._hidden = 0
        self._matrix: Any = None  # display matrix: rotation and mirroring

    def frames(self) -> Iterator["av.VideoFrame"]:
        """Decode all frames, except those hidden by an edit list.

        Raises:
            VideoError: a frame is too large.
        """
        count = 0
        with self._container:
            for packet in self._packets():
                for frame in self._decode(packet):
                    _check_size(self.path, frame.width, frame.height)
                    if frame.key_frame or not count:  # only on key frames, since it is slow
                        self._matrix = frame.side_data.get("DISPLAYMATRIX")
                    count += 1
                    yield frame
        self.missing = max(0, self.promised - self._hidden - count)

    def picture(self, frame: "av.VideoFrame") -> np.ndarray:
        """Convert the frame last yielded by `frames` to uint8 BGR (height, width, 3), rotated for display.

        Raises:
            VideoError: the rotation is not a multiple of 90 degrees.
        """
        shown = self._converter.reformat(frame, format="bgr24", threads=1)
        (plane,) = shown.planes
        rows = np.frombuffer(cast(bytes, plane), np.uint8).reshape(-1, plane.line_size)  # a view; rows may be padded
        image = rows[: shown.height, : 3 * shown.width].reshape(shown.height, shown.width, 3)
        if self._matrix is None:
            return image
        turned = upright(image, np.frombuffer(cast(bytes, self._matrix), np.int32))
        if turned is None:
            raise VideoError(
                f"{self.path}: rotation is not a multiple of 90 degrees; rotate it with ffmpeg -i FILE NEW"
            )
        return turned

    def count(self) -> int:
        """Count the packets, without hidden ones and without decoding."""
        with self._container:
            return sum(bool(packet.size) and not packet.is_discard for packet in self._packets())

    def _packets(self) -> Iterator["av.Packet[Any]"]:
        """The packets, then an empty one to flush the decoder, also if the file is truncated."""
        import av

        try:
            for packet in self._container.demux(self._stream):
                self._hidden += packet.is_discard
                self.damaged += packet.is_corrupt
                yield packet
        except av.FFmpegError:
            yield av.Packet()

    def _decode(self, packet: "av.Packet[Any]") -> list["av.VideoFrame"]:
        import av

        try:
            return self._stream.codec_context.decode(packet if packet.size else None)
        except av.FFmpegError:
            self.damaged += 1
            return []


def upright(image: np.ndarray, matrix: np.ndarray) -> np.ndarray | None:
    """Rotate and mirror an image by a display matrix.

    Args:
        image: (height, width, 3).
        matrix: its nine numbers a, b, u, c, d, v, x, y, w: a pixel goes to (a x + c y, b x + d y).

    Returns:
        The image; None if the rotation is not a multiple of 90 degrees.
    """
    turn = matrix[[0, 1, 3, 4]].astype(float)
    turn[np.abs(turn) <= SKEW * np.abs(turn).max()] = 0
    a, b, c, d = (int(sign) for sign in np.sign(turn))
    if (bool(a), bool(b)) != (bool(d), bool(c)) or bool(a) == bool(b):
        return None
    if not a:
        image, a, d = image.transpose(1, 0, 2), c, b
    return np.ascontiguousarray(image[::d, ::a])


def _open(path: Path) -> tuple["av.container.InputContainer", "av.VideoStream"]:
    import av

    if not path.exists():
        raise VideoError(f"{path}: no such file, or a broken link")
    if not path.is_file():  # opening a pipe would block
        raise VideoError(f"{path}: not a regular file")
    if path.stat().st_size == 0:
        raise VideoError(f"{path}: the file is empty")
    options = {"protocol_whitelist": "file", **LIMIT}  # a playlist named .mp4 must not access the network
    try:
        container = av.open(str(path.absolute()), options=options, metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f"{path}: {_why(error)}") from None
    try:
        if container.format.name == "tty":  # FFmpeg would render any text as video
            raise VideoError(f"{path}: text, not a video")
        return container, _stream(path, container)
    except BaseException:
        container.close()
        raise


def _why(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "permission denied"
    return "no readable video stream: not a video, or truncated"


def _stream(path: Path, container: "av.container.InputContainer") -> "av.VideoStream":
    """The video stream with the largest frames; cover images are ignored."""
    import av
    from av.stream import Disposition

    streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not streams:
        raise VideoError(f"{path}: no video stream, only {_others(container)}")
    stream = max(streams, key=lambda stream: (stream.width or 0) * (stream.height or 0))
    if stream.codec_context is None:
        raise VideoError(f"{path}: unknown codec; convert it with ffmpeg -i FILE NEW.mp4")
    _check_size(path, stream.width, stream.height)
    stream.codec_context.options = LIMIT
    stream.codec_context.thread_count = 1
    stream.codec_context.flags |= av.codec.context.Flags.unaligned  # allows exact cropping
    return stream


def _others(container: "av.container.InputContainer") -> str:
    kinds = {"a cover image" if stream.type == "video" else stream.type for stream in container.streams}
    return " and ".join(sorted(kinds)) or "a header"


def _check_size(path: Path, width: int, height: int) -> None:
    if not 0 < width * height <= MOST_PIXELS:
        size = f"frames of {width}x{height}" if width else "frames of unknown size"
        raise VideoError(f"{path}: {size}; the limit is {MOST_PIXELS:,} pixels")

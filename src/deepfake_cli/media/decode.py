"""Video files to pictures, by FFmpeg through PyAV: the frames that the ffmpeg program would show, in their order.

Why not OpenCV: it gives black pictures of interlaced video without an error, decodes no AV1, ignores mirrored
recordings and takes a wrong window of some cropped ones. ``benchmarks/split.py`` measures it against a loop of OpenCV's.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from deepfake_cli.errors import VideoError
from deepfake_cli.media.info import Facts

if TYPE_CHECKING:
    import av

MOST_PIXELS = 2**26  # of a frame, 8192 x 8192: 200 MB as BGR; a few bytes of a bad file can claim far more
LIMIT = {"max_pixels": str(MOST_PIXELS)}  # tells FFmpeg before it makes room for one
SKEW = 0.02  # sine of the angle that still counts as upright


class Video:
    """A video file, open for decoding once, on one thread, since a process per core reads a video of its own.

    Attributes:
        facts: codec, frame rate and size, as the header says.
        promised: how many frames the header says there are (headers lie); 0 if it doesn't.
        missing: how many of them were not there, once it has been decoded.
        damaged: packets that were cut short or could not be decoded, once it has been decoded.

    Raises:
        VideoError: it can't be read as a video.
    """

    def __init__(self, path: Path):
        from av.video.reformatter import VideoReformatter

        self.path = path
        self._container, self._stream = _open(path)
        self._converter = VideoReformatter()  # kept, since making one costs a tenth of a frame
        codec, rate = self._stream.codec_context.codec, self._stream.average_rate
        self.facts = Facts(codec.canonical_name, round(float(rate or 0), 3), self._stream.width, self._stream.height)
        self.promised = max(0, self._stream.frames)
        self.missing = self.damaged = self._hidden = 0
        self._matrix: Any = None  # how the frames are to be turned

    def frames(self) -> Iterator["av.VideoFrame"]:
        """Decode all of it; the frames that an edit list hides are left out, as any player does.

        Raises:
            VideoError: a frame is too large.
        """
        count = 0
        with self._container:
            for packet in self._packets():
                for frame in self._decode(packet):
                    _check_size(self.path, frame.width, frame.height)
                    if frame.key_frame or not count:  # looked up there only, since it takes as long as a small picture
                        self._matrix = frame.side_data.get("DISPLAYMATRIX")
                    count += 1
                    yield frame
        self.missing = max(0, self.promised - self._hidden - count)

    def picture(self, frame: "av.VideoFrame") -> np.ndarray:
        """The frame that `frames` has just yielded as uint8 BGR (height, width, 3), upright as it is meant to be shown.

        Raises:
            VideoError: it is to be shown at an angle that is no quarter turn.
        """
        shown = self._converter.reformat(frame, format="bgr24", threads=1)
        (plane,) = shown.planes
        rows = np.frombuffer(cast(bytes, plane), np.uint8).reshape(-1, plane.line_size)  # a view; lines may be padded
        image = rows[: shown.height, : 3 * shown.width].reshape(shown.height, shown.width, 3)
        if self._matrix is None:
            return image
        turned = upright(image, np.frombuffer(cast(bytes, self._matrix), np.int32))
        if turned is None:
            raise VideoError(f"{self.path}: is to be shown askew, not by quarter turns; ffmpeg -i FILE NEW turns it")
        return turned

    def count(self) -> int:
        """How many packets of frames there are, less the hidden ones; nothing is decoded."""
        with self._container:
            return sum(bool(packet.size) and not packet.is_discard for packet in self._packets())

    def _packets(self) -> Iterator["av.Packet[Any]"]:
        """The packets and an empty last one, which gives out what the decoder holds back, also where the file breaks off."""
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
    """Turn and mirror an image as a display matrix says.

    Args:
        image: (height, width, 3).
        matrix: its nine numbers a, b, u, c, d, v, x, y, w: a pixel goes to (a x + c y, b x + d y).

    Returns:
        The image; None if that is no quarter turn.
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
        raise VideoError(f"{path}: no such file, or a link to nowhere")
    if not path.is_file():  # a pipe would wait for its writer for ever
        raise VideoError(f"{path}: not a regular file")
    if path.stat().st_size == 0:
        raise VideoError(f"{path}: the file is empty")
    options = {"protocol_whitelist": "file", **LIMIT}  # a playlist named .mp4 must fetch nothing
    try:
        container = av.open(str(path.absolute()), options=options, metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f"{path}: {_why(error)}") from None
    try:
        if container.format.name == "tty":  # FFmpeg draws letters: any text would be a film of them
            raise VideoError(f"{path}: it is text, no video")
        return container, _stream(path, container)
    except BaseException:
        container.close()
        raise


def _why(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "no permission to read it"
    return "no video stream that can be read: not a video, or cut off"


def _stream(path: Path, container: "av.container.InputContainer") -> "av.VideoStream":
    """The one with the largest picture; covers and previews are no video."""
    import av
    from av.stream import Disposition

    streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not streams:
        raise VideoError(f"{path}: no video stream in it, only {_others(container)}")
    stream = max(streams, key=lambda stream: (stream.width or 0) * (stream.height or 0))
    if stream.codec_context is None:
        raise VideoError(f"{path}: its codec is unknown; convert it with ffmpeg -i FILE NEW.mp4")
    _check_size(path, stream.width, stream.height)
    stream.codec_context.options = LIMIT
    stream.codec_context.thread_count = 1
    stream.codec_context.flags |= av.codec.context.Flags.unaligned  # a window that is cut out to the pixel
    return stream


def _others(container: "av.container.InputContainer") -> str:
    kinds = {"a cover" if stream.type == "video" else stream.type for stream in container.streams}
    return " and ".join(sorted(kinds)) or "a header"


def _check_size(path: Path, width: int, height: int) -> None:
    if not 0 < width * height <= MOST_PIXELS:
        size = f"frames of {width}x{height}" if width else "frames of no known size"
        raise VideoError(f"{path}: {size}; from 1 to {MOST_PIXELS:,} pixels can be read")

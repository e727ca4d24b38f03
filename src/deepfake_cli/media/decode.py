"""Decode video files with FFmpeg, through PyAV: the same frames in the same order as the ffmpeg program.

OpenCV is not used, since it decodes interlaced video to black frames without an error, has no AV1, ignores mirroring and
crops some videos wrongly. ``benchmarks/split.py`` compares the speed.
"""

import time
from array import array
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from functools import cached_property
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from deepfake_cli.errors import VideoError
from deepfake_cli.media import header, tone
from deepfake_cli.media.container import check_size, open_video
from deepfake_cli.media.damage import heard
from deepfake_cli.media.geometry import crop_of, of_angle, of_exif, upright, widened
from deepfake_cli.media.info import Facts, exif_orientation

if TYPE_CHECKING:
    import av

PNG = ("png", "apng")  # have colour profiles with a name, which PyAV 18 and 19 free twice if asked for side data


class Video:
    """A video file, open for decoding once, on one thread, since `split` runs one process per core.

    Attributes:
        facts: codec, frame rate and size, from the header.
        promised: number of frames according to the header, which may be wrong; 0 if unknown.
        length: of the file in seconds, according to the header, with its sound; 0 if unknown.
        missing: number of these frames that were missing; set after decoding.
        damaged: number of frames that are truncated or undecodable, or that the decoder has patched; set after decoding.
        size: encoded bytes of the packets read so far.
        stopped: whether decoding was stopped by the time limit.
        times: timestamp of each decoded frame, in seconds from the start of the file.
        notes: how the file was read, where this may surprise.

    Raises:
        VideoError: it cannot be read as a video.
    """

    def __init__(self, path: Path):
        from av.video.reformatter import VideoReformatter

        self.path = path
        self._container, self._stream, others = open_video(path)
        self._converter = VideoReformatter()  # reused: creating one takes a tenth of the time of a frame
        codec, rate = self._stream.codec_context.codec, self._stream.average_rate or self._stream.guessed_rate
        self.facts = Facts(codec.canonical_name, round(float(rate or 0), 3), self._stream.width, self._stream.height)
        self.promised = max(0, self._stream.frames)
        self.length = max(0, self._container.duration or 0) / 1e6
        self.missing = self.damaged = self.size = self._hidden = self._empty = self._corrupt = 0
        self.stopped = False
        self.times = array("d")
        self.notes = [f"{others + 1} video streams: the default one was read"] if others else []
        self._matrix: np.ndarray | None = None  # display matrix: rotation and mirroring
        self._crop = crop_of(self._container, self._stream)
        aspect = self._stream.sample_aspect_ratio or Fraction(1)  # PyAV 19 has its own type of fractions
        self._aspect = Fraction(aspect.numerator, aspect.denominator)
        self._hdr = 0  # its transfer characteristic
        self._keys = array("q")  # indices of the key frames
        self._rotation = 0
        self._settings: str | None = None  # of the encoder

    @cached_property
    def _header(self) -> header.Header:
        return header.of_container(self._container, self._stream)

    @property
    def header(self) -> header.Header:
        """What the file says of itself; ask for it before the frames are read, since they close the file."""
        found = {"rotation": self._rotation or None, "encoder_settings": self._settings}
        return self._header.model_copy(update=found | {"key_frames": header.key_frames(self._keys)})

    def frames(self, until: float = inf) -> Iterator["av.VideoFrame"]:
        """Decode all frames, except those hidden by an edit list.

        Args:
            until: when to stop, as `time.monotonic`.

        Raises:
            VideoError: a frame is too large.
        """
        with self._container:
            for number, packet in enumerate(self._packets()):
                if packet is not None and number == 0:
                    self._settings = header.encoder_settings(bytes(packet))
                if time.monotonic() > until:
                    self.stopped = True
                    return
                for frame in self._decode(packet):
                    check_size(self.path, int(frame.width * max(Fraction(1), self._aspect)), frame.height)
                    if not self.times:
                        self._rotation = -frame.rotation % 360
                    if frame.key_frame or not self.times:  # only on key frames, since it is slow
                        self._matrix = self._orientation(frame, packet)
                        self._keys.append(len(self.times))
                    self.times.append(self._time(frame))
                    yield frame
        self.damaged = max(self.damaged, self._corrupt)  # the same ones, told twice
        self.missing = max(0, self.promised - self._hidden - self._empty - len(self.times))

    def _orientation(self, frame: "av.VideoFrame", packet: "av.Packet[Any] | None") -> np.ndarray | None:
        """The display matrix of a frame, nine numbers; None without one."""
        if self.facts.codec not in PNG:
            try:
                matrix = frame.side_data.get("DISPLAYMATRIX")
                return None if matrix is None else np.frombuffer(cast(bytes, matrix), np.int32)
            except ValueError:  # PyAV 18 fails if the frame has data of a type that it does not know, such as EXIF
                pass
        orientation = exif_orientation(bytes(packet)) if packet is not None else 1
        return of_exif(orientation) if orientation > 1 else of_angle(frame.rotation)

    def _time(self, frame: "av.VideoFrame") -> float:
        """Timestamp of a frame; from the frame rate if the stream has none."""
        if frame.pts is not None and self._stream.time_base:
            return float(frame.pts * self._stream.time_base) - (self._container.start_time or 0) / 1e6
        step = 1 / self.facts.fps if self.facts.fps else 0.0
        return self.times[-1] + step if self.times else 0.0

    def picture(self, frame: "av.VideoFrame") -> np.ndarray:
        """Convert the frame last yielded by `frames` to uint8 BGR (height, width, 3), as ffplay displays it.

        The image is cropped to the clean aperture, scaled to square pixels and rotated. HDR and wider colours become BT.709.

        Raises:
            VideoError: the rotation is not a multiple of 90 degrees.
        """
        image = self._crop.apply(self._colours(frame))
        image = widened(image, self._aspect)
        if self._matrix is None:
            return image
        turned = upright(image, self._matrix)
        if turned is None:
            raise VideoError(
                f"{self.path}: rotation is not a multiple of 90 degrees; rotate it with ffmpeg -i FILE NEW"
            )
        return turned

    def _colours(self, frame: "av.VideoFrame") -> np.ndarray:
        """Convert the stored frame to uint8 BGR (height, width, 3)."""
        if frame.color_trc not in tone.NAMES:
            image = _view(self._converter.reformat(frame, format="bgr24", threads=1), np.uint8)
            return tone.to_bt709(image, frame.color_primaries) if frame.color_primaries in tone.WIDE else image
        if not self._hdr:
            self.notes.append(f"HDR ({tone.NAMES[frame.color_trc]}), tone-mapped to BT.709")
            self._hdr = frame.color_trc
        deep = _view(self._converter.reformat(frame, format="bgr48le", threads=1), np.uint16)
        return tone.to_sdr(deep, frame.color_trc, frame.color_primaries)

    def count(self) -> int:
        """Count the packets, without hidden ones and without decoding."""
        with self._container:
            return sum(packet is not None and not packet.is_discard for packet in self._packets())

    def _packets(self) -> Iterator["av.Packet[Any] | None"]:
        """The packets, then None to flush the decoder, also if the file is truncated.

        An empty packet repeats the last frame. It is skipped, since to the decoder it would mean the end of the stream.
        """
        import av

        last = (
            -1 if self._container.format.name == "avi" else inf
        )  # FFmpeg skips the empty packets of AVI, but counts them
        with suppress(av.FFmpegError):
            for packet in self._demuxed():
                if packet.size:
                    self._empty += int(max(0, (packet.dts or 0) - last - 1))
                    last = max(last, packet.dts or 0)
                    self._hidden += packet.is_discard
                    self.size += packet.size
                    yield packet
                else:
                    self._empty += packet.dts is not None  # PyAV's own last packet has no time
        yield None

    def _demuxed(self) -> Iterator["av.Packet[Any]"]:
        """The packets of the stream; PyAV fails at those of a stream that begins later in the file, and can go on."""
        while True:
            try:
                yield from self._container.demux(self._stream)
                return
            except IndexError:
                continue

    def _decode(self, packet: "av.Packet[Any] | None") -> list["av.VideoFrame"]:
        import av

        with heard() as errors:
            try:
                frames = self._stream.codec_context.decode(packet)
            except av.FFmpegError:
                frames, errors = [], ["undecodable"]
        self.damaged += bool(errors) or (packet is not None and packet.is_corrupt)
        self._corrupt += sum(frame.is_corrupt for frame in frames)
        return frames


def _view(frame: "av.VideoFrame", dtype: type) -> np.ndarray:
    """An RGB or BGR frame as an array (height, width, 3), without a copy."""
    (plane,) = frame.planes
    data: np.ndarray = np.frombuffer(cast(bytes, plane), np.uint8)
    rows: np.ndarray = data.reshape(-1, plane.line_size).view(dtype)  # rows may be padded
    return rows[: frame.height, : 3 * frame.width].reshape(frame.height, frame.width, 3)

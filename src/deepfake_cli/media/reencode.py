"""Re-encode frames as H.264, to reduce codec differences between reals and fakes.

VidTIMIT has JPEG frames and DeepfakeTIMIT has AVI videos, so a detector may learn the codec instead of the face. Re-encoding
both with the same settings reduces this shortcut, but does not remove it: losses of the first codec remain.
The settings are x264's defaults (preset medium) without macroblock trees, and a constant rate
factor, as in FaceForensics++, where CRF 23 is "c23" and 40 "c40" (Roessler et al. 2019, section 3).
"""

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np

from deepfake_cli.errors import VideoError

if TYPE_CHECKING:
    import av

RATE = Fraction(25)  # frames per second, fixed: x264 weighs frames by their duration
OPTIONS = {  # no macroblock trees: in x264 they read uninitialised memory, so output is not reproducible
    "preset": "medium",
    "x264-params": "lookahead-threads=1:sliced-threads=0:no-mbtree=1",
}

Images = Iterator[tuple[int, np.ndarray | None]]


def reencoded(images: Iterable[tuple[int, np.ndarray | None]], crf: int) -> Images:
    """Encode a stream of frames as H.264 4:2:0 and decode it again, in memory, on one thread.

    Args:
        images: index in the source and image, uint8 BGR (height, width, 3); None: unreadable.
        crf: constant rate factor, 0 (almost lossless) to 51.

    Yields:
        The same indices in the same order, with the decoded images; None stays None. The delay is about 60 frames. The
        output is reproducible.

    Raises:
        VideoError: the installed PyAV has no x264.
    """
    codec: Codec | None = None
    for index, image in images:
        if codec is None or (image is not None and image.shape[:2] != codec.sides):
            if codec is not None:
                yield from codec.flush()
            codec = None if image is None else Codec(image.shape[0], image.shape[1], crf)
        yield from [(index, None)] if codec is None else codec.pass_through(index, image)
    if codec is not None:
        yield from codec.flush()


class Codec:
    """An H.264 encoder and decoder.

    Attributes:
        sides: height and width of the frames.
        size: encoded bytes so far.
    """

    def __init__(self, height: int, width: int, crf: int):
        from av.video.reformatter import VideoReformatter

        self.sides, self.size = (height, width), 0
        self._encoder, self._decoder = _encoder(height + height % 2, width + width % 2, crf), _decoder()
        self._to_yuv, self._to_bgr = VideoReformatter(), VideoReformatter()
        self._waiting: deque[tuple[int, bool]] = deque()  # index, and whether the frame has an image

    def pass_through(self, index: int, image: np.ndarray | None) -> Images:
        """Encode a frame; yield the frames that are ready."""
        import av

        self._waiting.append((index, image is not None))
        if image is not None:
            below, right = image.shape[0] % 2, image.shape[1] % 2  # 4:2:0 needs even sides
            even = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE) if below or right else image
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="bgr24")
            frame = self._to_yuv.reformat(frame, format="yuv420p", threads=1)
            yield from self._done(self._encoder.encode(frame), last=False)

    def flush(self) -> Images:
        """Yield the remaining frames."""
        yield from self._done(self._encoder.encode(None), last=True)
        while self._waiting:  # unreadable frames after the last image
            yield self._waiting.popleft()[0], None

    def _done(self, packets: "list[av.Packet]", *, last: bool) -> Images:
        self.size += sum(packet.size for packet in packets)
        for packet in (*packets, *([None] if last else [])):
            for frame in self._decoder.decode(packet):
                while not self._waiting[0][1]:
                    yield self._waiting.popleft()[0], None
                image = self._to_bgr.reformat(frame, format="bgr24", threads=1).to_ndarray()
                yield self._waiting.popleft()[0], np.ascontiguousarray(image[: self.sides[0], : self.sides[1]])


def _encoder(height: int, width: int, crf: int) -> "av.VideoCodecContext":
    import av

    try:
        encoder = av.VideoCodecContext.create("libx264", "w")
    except av.codec.codec.UnknownCodecError:
        raise VideoError("--reencode needs PyAV with x264. Install the wheel from PyPI: pip install av") from None
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.framerate, encoder.time_base, encoder.thread_count = RATE, 1 / RATE, 1
    encoder.options = {"crf": str(crf), **OPTIONS}
    return encoder


def _decoder() -> "av.VideoCodecContext":
    import av

    decoder = av.VideoCodecContext.create("h264", "r")
    decoder.thread_count = 1
    return decoder

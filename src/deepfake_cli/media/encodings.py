"""Write a part of a video anew, as sites and phones do: other codecs, sizes and rates."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from deepfake_cli.errors import VideoError
from deepfake_cli.media.reencode import OPTIONS, RATE
from deepfake_cli.media.video import FrameSource

if TYPE_CHECKING:
    import av


class Encoding(NamedTuple):
    """How to write a video.

    Attributes:
        codec: FFmpeg's name of the encoder.
        options: of the encoder.
        scale: of both sides.
    """

    codec: str
    options: dict[str, str]
    scale: float = 1.0


X265 = {"preset": "superfast", "x265-params": "log-level=error:pools=none:frame-threads=1"}
ENCODINGS: dict[str, Encoding] = {
    "h264 crf 23": Encoding("libx264", {"crf": "23", **OPTIONS}),  # the "c23" of FaceForensics++
    "h264 crf 40": Encoding("libx264", {"crf": "40", **OPTIONS}),  # its "c40"
    "h264 crf 28, half size": Encoding("libx264", {"crf": "28", **OPTIONS}, 0.5),
    "h264 crf 28, quarter size": Encoding("libx264", {"crf": "28", **OPTIONS}, 0.25),
    "hevc crf 32": Encoding("libx265", {"crf": "32", **X265}),
}


def middle(source: Path, most: int) -> list[np.ndarray]:
    """Decode consecutive frames from the middle of a video: uint8 BGR (height, width, 3), all of one size.

    Raises:
        VideoError: none of them is readable.
    """
    opened = FrameSource(source)
    first = max(0, (opened.promised - most) // 2)
    images = [image for _, image in opened.at(range(first, first + most)) if image is not None]
    if not images:
        raise VideoError(f"{source}: no readable frame from frame {first} on")
    return [image for image in images if image.shape == images[0].shape]


def write_video(target: Path, images: Iterable[np.ndarray], encoding: Encoding) -> None:
    """Encode images as an MP4 with 25 frames per second.

    Args:
        target: the file to write.
        images: uint8 BGR (height, width, 3), all of one size.
        encoding: one of `ENCODINGS`.

    Raises:
        VideoError: PyAV lacks the encoder, or there are no images.
    """
    import av

    stream: av.VideoStream | None = None
    with av.open(str(target), "w", format="mp4") as container:
        for image in images:
            stream = stream or _stream(container, image, encoding)
            if image.shape[1::-1] != (stream.width, stream.height):
                image = cv2.resize(image, (stream.width, stream.height), interpolation=cv2.INTER_AREA)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24")))
        if stream is None:
            raise VideoError(f"{target}: no images to encode")
        container.mux(stream.encode(None))


def _stream(container: "av.container.OutputContainer", image: np.ndarray, encoding: Encoding) -> "av.VideoStream":
    import av

    try:
        stream = container.add_stream(encoding.codec, rate=RATE, options=dict(encoding.options))
    except av.codec.codec.UnknownCodecError:
        raise VideoError(f"PyAV has no {encoding.codec}. Install the wheel from PyPI: pip install av") from None
    assert isinstance(stream, av.VideoStream)
    height, width = (max(2, round(side * encoding.scale / 2) * 2) for side in image.shape[:2])  # 4:2:0: even sides
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.codec_context.thread_count = 1
    return stream

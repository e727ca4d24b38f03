"""Frames that are in no file: an image in memory, an iterator of frames, a webcam."""

import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf
from typing import Any

import cv2
import numpy as np

from deepfake_cli.errors import VideoError
from deepfake_cli.media.info import Facts
from deepfake_cli.media.profile import by_profile
from deepfake_cli.media.video import FrameSampler


class MemorySource:
    """Frames in memory or still to come, read once, as `deepfake_cli.media.video.FrameSource` reads a file.

    Args:
        images: of each frame: NumPy arrays, uint8 RGB (height, width, 3), or PIL images.
        name: of the source, for messages.
        is_image: whether it is a single image.
        clock: time of the frame just read, in seconds from the start, for live sources; None for frames without times.
    """

    facts = Facts("", 0.0, 0, 0)
    bits_per_pixel = None  # not encoded

    def __init__(
        self, images: Iterable[Any], name: str, *, is_image: bool = False, clock: Callable[[], float] | None = None
    ):
        self.name, self.is_image, self.stopped = name, is_image, False
        self._images, self._clock = images, clock
        self._times = array("d")
        self.promised = len(images) if isinstance(images, Sequence) else 0

    @property
    def times(self) -> Sequence[float]:
        """Time of each frame read so far, in seconds; empty for frames without times."""
        return self._times

    def count(self, until: float = inf) -> int:
        """Number of frames; 0 if unknown: they can be read only once."""
        return self.promised

    def faults(self) -> list[str]:
        """None: a frame that is no image is an error."""
        return []

    def frames(self, sampler: FrameSampler | None = None, until: float = inf) -> Iterator[tuple[int, np.ndarray]]:
        """Stream index and image of the selected frames, uint8 BGR (height, width, 3); stops after the last one.

        Raises:
            VideoError: a frame is not an image.
        """
        last = max(sampler.spread, default=-1) if sampler and sampler.spread is not None else inf
        for index, image in enumerate(self._images):
            if self._clock:
                self._times.append(self._clock())
            if sampler is None or sampler(index):
                yield index, bgr(image, self.name)
            if index >= last:
                return
            if time.monotonic() > until:
                self.stopped = True
                return


def bgr(image: Any, name: str = "image") -> np.ndarray:
    """Convert an image to uint8 BGR (height, width, 3).

    Args:
        image: a NumPy array, uint8 RGB (height, width, 3); or a PIL image, whose EXIF orientation and colour profile are applied.
        name: of the image, for messages.

    Raises:
        VideoError: it is neither, or has another shape or type.
    """
    if hasattr(image, "getexif"):
        from PIL import ImageOps

        profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA", "P") else None
        rgb = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        image = by_profile(rgb[..., ::-1], profile)[..., ::-1]
    if not isinstance(image, np.ndarray):
        raise VideoError(f"{name}: expected frames as NumPy arrays or PIL images. Received: {type(image).__name__}.")
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise VideoError(
            f"{name}: expected RGB, uint8 (height, width, 3) in 0..255. Received: {image.dtype} {image.shape}."
        )
    return np.ascontiguousarray(image[..., ::-1])


def webcam(index: int) -> MemorySource:
    """Open a webcam; its frames have the time since it was opened. It ends when it is unplugged, or at a limit.

    Raises:
        VideoError: there is no such webcam, or another program uses it.
    """
    camera = cv2.VideoCapture(index)
    if not camera.isOpened():
        raise VideoError(f"webcam {index}: cannot be opened: there is none, or another program uses it.")
    began = time.monotonic()

    def images() -> Iterator[np.ndarray]:
        try:
            while (read := camera.read())[0]:
                yield read[1][..., ::-1]
        finally:
            camera.release()

    return MemorySource(images(), f"webcam {index}", clock=lambda: time.monotonic() - began)

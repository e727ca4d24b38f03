"""Read videos and folders of frames as a stream of (index, image)."""

import re
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from math import inf
from pathlib import Path

import numpy as np

from deepfake_cli.errors import VideoError
from deepfake_cli.media.damage import of_image as of_damaged
from deepfake_cli.media.decode import Video
from deepfake_cli.media.header import Header, of_images
from deepfake_cli.media.image import count_images, decode_image, image_bytes, is_image
from deepfake_cli.media.info import of_image
from deepfake_cli.native_output import quiet
from deepfake_cli.storage.disk import reason

VIDEO_SUFFIXES = frozenset({
        ".3g2", ".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".m1v", ".m2ts", ".m2v", ".m4v",
        ".mjpeg", ".mjpg", ".mkv", ".mov", ".mp4", ".mp4v", ".mpeg", ".mpg", ".mpv", ".mts", ".mxf", ".ogm", ".ogv",
        ".qt", ".ts", ".vob", ".webm", ".wmv", ".y4m",
})  # fmt: skip
IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".jfif", ".jp2", ".avif", ".heic", ".heif"}
)


def is_number(name: str) -> bool:
    """Whether a name is a number of 64 bits; `str.isdigit` is true for ², which is none to `int`."""
    return re.fullmatch("[0-9]{1,18}", name) is not None


def is_frame(path: Path) -> bool:
    """Whether the file name is that of an image: by suffix, or digits only (``001`` in VidTIMIT)."""
    return path.suffix.lower() in IMAGE_SUFFIXES or (not path.suffix and is_number(path.name))


def frame_files(folder: Path) -> list[tuple[int, Path]]:
    """The images of a folder with their frame indices, in order.

    The index is the number in the name (``001``, ``00042.jpg``), so gaps are kept. Other names are numbered from 0 in
    alphabetical order; so are numbers that two files have (``1.jpg`` and ``01.png``), in their order.
    """
    paths = sorted(path for path in folder.iterdir() if is_frame(path) and not path.name.startswith("."))
    if all(is_number(path.stem) for path in paths):
        numbered = sorted((int(path.stem), path) for path in paths)
        if len({number for number, _ in numbered}) == len(numbered):
            return numbered
        paths = [path for _, path in numbered]
    return list(enumerate(paths))


class FrameSampler:
    """Selects frames: every N-th, and at most `most`, evenly spaced over `total` frames (0: unknown, then the first ones).

    Attributes:
        expected: number of selected frames, if there are `total`.
    """

    def __init__(self, every: int = 1, most: int | None = None, total: int = 0):
        kept = range(0, total, every)
        self.every = every
        self.spread: frozenset[int] | None = None
        if most is not None:
            kept = kept or range(0, most * every, every)
            places = np.linspace(0, len(kept) - 1, min(most, len(kept))).round().astype(int)
            self.spread = frozenset(kept[place] for place in places)
        self.expected = len(kept) if self.spread is None else len(self.spread)

    def __call__(self, position: int) -> bool:
        """Whether to keep the frame at this position."""
        return position in self.spread if self.spread is not None else position % self.every == 0


class FrameSource:
    """A video file, a folder of images or a single image (the first frame, if animated), open for reading once.

    Attributes:
        facts: codec, frame rate and size, from the header; of a folder, from its first image.
        promised: number of frames according to the header, which may be wrong, or number of images; 0 if unknown.

    Raises:
        VideoError: it cannot be read as a video, or has no images.
    """

    def __init__(self, path: Path):
        self.path = path
        self._files: list[tuple[int, Path]] = []
        self._video: Video | None = None
        self._unreadable: Counter[str] = Counter()  # images, by the reason
        self._damaged: Counter[str] = Counter()
        self._stopped = False
        if path.is_dir():
            self._files = frame_files(path)
            if not self._files:
                raise VideoError(f"{path}: no images in this folder")
        elif path.suffix.lower() in IMAGE_SUFFIXES or is_image(path):
            self._files = [(0, path)]
        else:
            self._video = Video(path)
        self.promised = self._video.promised if self._video else len(self._files)
        self.facts = self._video.facts if self._video else of_image(self._files[0][1])

    @property
    def is_image(self) -> bool:
        """Whether it is a single image."""
        return self._video is None and not self.path.is_dir()

    @property
    def stopped(self) -> bool:
        """Whether reading was stopped by the time limit."""
        return self._video.stopped if self._video else self._stopped

    @property
    def times(self) -> Sequence[float]:
        """Timestamp of each frame read so far, in seconds from the start, by frame index; empty for images."""
        return self._video.times if self._video else ()

    @property
    def bits_per_pixel(self) -> float | None:
        """Encoded bits per pixel, of what was read so far; of images, of all. None if unknown."""
        size = self._video.size if self._video else sum(file.stat().st_size for _, file in self._files)
        pixels = self.facts.width * self.facts.height * (len(self.times) if self._video else len(self._files))
        return 8 * size / pixels if pixels else None

    @property
    def header(self) -> Header | None:
        """What the file says of itself, of a folder its first image; ask for it before the frames are read, and again after.

        None for an image that Pillow cannot read.
        """
        if self._video:
            return self._video.header
        return of_images([file for _, file in self._files], folder=self.path.is_dir())

    def count(self, until: float = inf) -> int:
        """Number of frames: from the header if the number of packets agrees, else by decoding.

        Args:
            until: when to stop decoding, as `time.monotonic`.
        """
        if self._video is None:
            return len(self._files)
        count = Video(self.path).count()
        return count if count == self.promised else sum(1 for _ in Video(self.path).frames(until))

    def faults(self) -> list[str]:
        """Problems of a source, after it has been read, and what may surprise in how it was read."""
        if self._video is None:
            several = count_images(self._files[0][1]) if self.is_image else 1
            first = [f"{several} images in this file: only the first was read"] if several > 1 else []
            many = len(self._files) > 1
            unreadable = [f"{n:,} unreadable: {why}" if many else why for why, n in self._unreadable.items()]
            count = sum(self._damaged.values())
            why = next(iter(self._damaged), "")
            damaged = [f"{count:,} images are damaged, such as one with: {why}" if many else why] if count else []
            return first + unreadable + damaged
        found = {
            f"{self._video.missing} of {self.promised} frames in the header are missing": self._video.missing,
            f"{self._video.damaged} frame{'s are' if self._video.damaged > 1 else ' is'} damaged": self._video.damaged,
        }
        return self._video.notes + [text for text, count in found.items() if count]

    def frames(
        self, sampler: FrameSampler | None = None, until: float = inf
    ) -> Iterator[tuple[int, np.ndarray | None]]:
        """Stream the frames, once.

        Args:
            sampler: selects frames by position, from 0; other frames are not converted. None for all.
            until: when to stop, as `time.monotonic`; `stopped` is then true.

        Yields:
            The frame index in the source and the image, uint8 BGR (height, width, 3); None if unreadable, for the reason
            in `faults`.

        Raises:
            VideoError: no frame can be decoded, or a frame is too large.
        """
        if self._video is not None:
            yield from _pictures(self._video, sampler, until)
        for position, (index, file) in enumerate(self._files):
            if time.monotonic() > until:
                self._stopped = True
                return
            if sampler is None or sampler(position):
                yield index, self._loaded(file)

    def at(self, indices: Collection[int]) -> Iterator[tuple[int, np.ndarray | None]]:
        """Stream the frames with these indices, as `frames` does; frames after the last one are not decoded."""
        sampler, places = FrameSampler(), {index: place for place, (index, _) in enumerate(self._files)}
        sampler.spread = frozenset(places.get(index, index) for index in indices)
        return islice(self.frames(sampler), len(sampler.spread))

    def _loaded(self, file: Path) -> np.ndarray | None:
        try:
            data = image_bytes(file)
            damage = of_damaged(data)
            if not damage:
                return decode_image(data)
            image, fault = _quietly_decoded(data)
            self._unreadable.update([fault] if fault else [])
            self._damaged.update([damage] if not fault else [])
            return image
        except (OSError, VideoError) as error:
            self._unreadable[reason(error)] += 1
            return None


def _quietly_decoded(data: bytes) -> tuple[np.ndarray | None, str]:
    """A damaged image, or why it cannot be decoded; without the lines that libjpeg and libpng print."""
    with quiet():
        try:
            return decode_image(data), ""
        except VideoError as error:
            return None, reason(error)


def frames(path: Path) -> Iterator[tuple[int, np.ndarray | None]]:
    """Stream all frames of a video, folder or image; see `FrameSource.frames`."""
    return FrameSource(path).frames()


def _pictures(video: Video, sampler: FrameSampler | None, until: float) -> Iterator[tuple[int, np.ndarray]]:
    index = -1
    for index, frame in enumerate(video.frames(until)):
        if sampler is None or sampler(index):
            yield index, video.picture(frame)
    if index < 0 and not video.stopped:
        raise VideoError(f"{video.path}: no frame can be decoded")

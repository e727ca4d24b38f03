"""The only reading of videos and of folders of frames: a stream of (index, image), never the whole."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from deepfake_cli.errors import VideoError

VIDEO_SUFFIXES = frozenset({".avi", ".mp4", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp"})
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


def is_frame(path: Path) -> bool:
    """Whether a file is named as an image: by its suffix, or by digits alone (VidTIMIT's ``001``)."""
    return path.suffix.lower() in IMAGE_SUFFIXES or (not path.suffix and path.name.isdigit())


def frame_files(folder: Path) -> list[tuple[int, Path]]:
    """The images of a folder with their indices, in order.

    The index is the number that the name is (``001``, ``00042.jpg``), so gaps stay gaps; names that are no numbers
    are counted from 0 in their alphabetical order.
    """
    paths = sorted(path for path in folder.iterdir() if is_frame(path) and not path.name.startswith("."))
    if all(path.stem.isdigit() for path in paths):
        return sorted((int(path.stem), path) for path in paths)
    return list(enumerate(paths))


class Keep:
    """Which frames to keep: every N-th, and at most `most` of them, evenly spaced over `total` frames.

    Attributes:
        expected: how many that are, if there are `total`.
    """

    def __init__(self, every: int = 1, most: int | None = None, total: int = 0):
        kept = range(0, total, every)
        self.every = every
        self.spread: frozenset[int] | None = None
        if most is not None and len(kept) > most:
            self.spread = frozenset(kept[place] for place in np.linspace(0, len(kept) - 1, most).round().astype(int))
        self.expected = len(kept) if self.spread is None else len(self.spread)

    def __call__(self, position: int) -> bool:
        """Whether to keep the frame at that position."""
        return position in self.spread if self.spread is not None else position % self.every == 0


class Source:
    """A video file, a folder of images or a single image, open for reading once.

    Attributes:
        promised: how many frames a video's header promises (headers lie), or how many images there are; 0 if unknown.

    Raises:
        VideoError: it can't be read as a video, or holds no image.
    """

    def __init__(self, path: Path):
        self.path = path
        self._files: list[tuple[int, Path]] = []
        self._capture: cv2.VideoCapture | None = None
        if path.is_dir():
            self._files = frame_files(path)
            if not self._files:
                raise VideoError(f"{path}: the folder holds no images")
        elif path.suffix.lower() in IMAGE_SUFFIXES:
            self._files = [(0, path)]
        else:
            self._capture = _open(path)
        header = self._capture.get(cv2.CAP_PROP_FRAME_COUNT) if self._capture else len(self._files)
        self.promised = max(0, int(header))

    def frames(self, keep: Keep | None = None) -> Iterator[tuple[int, np.ndarray | None]]:
        """Stream the frames, once.

        Args:
            keep: which to yield, by their position from 0; the others are skipped without being converted. All, if None.

        Yields:
            The frame's index in its source, and the image as uint8 BGR of shape (height, width, 3); None in place of an
            image that cannot be read.

        Raises:
            VideoError: it opens as a video, but no frame can be decoded.
        """
        if self._capture is not None:
            yield from _decode(self._capture, self.path, keep)
        for position, (index, file) in enumerate(self._files):
            if keep is None or keep(position):
                yield index, read_image(file)


def frames(path: Path) -> Iterator[tuple[int, np.ndarray | None]]:
    """Stream all frames of a video, folder or image; see `Source.frames`."""
    return Source(path).frames()


def read_image(path: Path) -> np.ndarray | None:
    """Read an image by its content, whatever its suffix: uint8 BGR (height, width, 3), or None if it cannot be read."""
    try:
        data = np.fromfile(path, dtype=np.uint8)
        return cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except (OSError, cv2.error):
        return None


def _open(path: Path) -> cv2.VideoCapture:
    """One decoding thread, since a process per core reads a video of its own."""
    if not path.is_file():
        raise VideoError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise VideoError(f"{path}: the file is empty")
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    if not capture.isOpened():
        raise VideoError(f"{path}: no video stream that can be read: not a video, cut off, or audio only")
    return capture


def _decode(capture: cv2.VideoCapture, path: Path, keep: Keep | None) -> Iterator[tuple[int, np.ndarray | None]]:
    index = 0
    try:
        while capture.grab():
            if keep is None or keep(index):
                read, image = capture.retrieve()
                yield index, image if read else None
            index += 1
    finally:
        capture.release()
    if not index:
        raise VideoError(f"{path}: opens as a video, but no frame can be decoded")

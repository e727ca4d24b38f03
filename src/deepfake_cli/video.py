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


def count(path: Path) -> int:
    """How many frames a video's header promises (headers lie), or how many images a folder holds; 0 if unknown."""
    if path.is_dir():
        return len(frame_files(path))
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return 1
    capture = cv2.VideoCapture(str(path))
    try:
        return max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
    finally:
        capture.release()


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


def frames(path: Path, *, keep: Keep | None = None) -> Iterator[tuple[int, np.ndarray | None]]:
    """Stream the frames of a video file, a folder of images or a single image.

    Args:
        path: the video, folder or image.
        keep: which to yield, by their position from 0; the others are skipped without being converted. All, if None.

    Yields:
        The frame's index in its source, and the image as uint8 BGR of shape (height, width, 3); None in place of an
        image that cannot be read.

    Raises:
        VideoError: nothing in it can be read as a video or as images.
    """
    if path.is_dir():
        files = frame_files(path)
        if not files:
            raise VideoError(f"{path}: the folder holds no images")
        for position, (index, file) in enumerate(files):
            if keep is None or keep(position):
                yield index, read_image(file)
    elif path.suffix.lower() in IMAGE_SUFFIXES:
        yield 0, read_image(path)
    else:
        yield from _decode(path, keep)


def read_image(path: Path) -> np.ndarray | None:
    """Read an image by its content, whatever its suffix: uint8 BGR (height, width, 3), or None if it cannot be read."""
    try:
        data = np.fromfile(path, dtype=np.uint8)
        return cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except (OSError, cv2.error):
        return None


def _decode(path: Path, keep: Keep | None) -> Iterator[tuple[int, np.ndarray | None]]:
    """One decoding thread, since a process per core reads a video of its own."""
    if not path.is_file():
        raise VideoError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise VideoError(f"{path}: the file is empty")
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    index = 0
    try:
        if not capture.isOpened():
            raise VideoError(f"{path}: no video stream that can be read: not a video, cut off, or audio only")
        while capture.grab():
            if keep is None or keep(index):
                read, image = capture.retrieve()
                yield index, image if read else None
            index += 1
    finally:
        capture.release()
    if not index:
        raise VideoError(f"{path}: opens as a video, but no frame can be decoded")

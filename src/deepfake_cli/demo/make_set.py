"""The set that ``deepfake demo`` works on: the shipped clips and their forgeries, laid out as UADFV."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from deepfake_cli.assets import CLIPS, FOLDER
from deepfake_cli.demo.face_warp import Warp, warp_face
from deepfake_cli.errors import VideoError
from deepfake_cli.faces import rfb320
from deepfake_cli.faces.box import Box
from deepfake_cli.media.video import frames
from deepfake_cli.storage.files import whole

FPS = 25.0
STEADY = 0.8  # share of the last box in the next, or the forgery's edge would tremble


def make_set(root: Path, *, seed: int = 0, progress: Callable[[Path], None] = lambda path: None) -> Path:
    """Write a real and a fake video of each person in the samples.

    A fake is the real with its face warped (see `deepfake_cli.demo.face_warp`). Both go through the same encoder, so
    that the codec says nothing of the class.

    Args:
        root: the folder to write ``real/0000.mp4`` and ``fake/0000_fake.mp4`` … in.
        seed: of the forgeries' parameters.
        progress: called with each video that is written.

    Returns:
        `root`.
    """
    random = np.random.default_rng(seed)
    detect = rfb320(0.5)
    for number, (name, _) in enumerate(CLIPS):
        images = [image for _, image in frames(FOLDER / name) if image is not None]
        warp, boxes = Warp.draw(random), _steady(detect(image) for image in images)
        forged = [warp_face(image, box[:4], warp=warp) for image, box in zip(images, boxes, strict=True)]
        for path, pictures in (
            (root / "real" / f"{number:04d}.mp4", images),
            (root / "fake" / f"{number:04d}_fake.mp4", forged),
        ):
            _write(path, pictures)
            progress(path)
    return root


def _steady(found: Iterator[list[Box]]) -> Iterator[Box]:
    """The best box of each frame, smoothed over time; the last one where a frame has none."""
    last: np.ndarray | None = None
    for boxes in found:
        if boxes:
            box = np.array(boxes[0][:5])
            last = box if last is None else STEADY * last + (1 - STEADY) * box
        yield Box(*(last if last is not None else np.zeros(5)))


def _write(path: Path, images: list[np.ndarray]) -> None:
    height, width = images[0].shape[:2]
    with whole(path) as partial:
        writer = cv2.VideoWriter(str(partial), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (width, height))
        if not writer.isOpened():
            raise VideoError(
                f"{path}: this OpenCV cannot write MPEG-4 video. deepfake doctor says what is wrong with it."
            )
        for image in images:
            writer.write(image)
        writer.release()

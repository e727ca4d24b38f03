"""Make the sample set of ``deepfake demo``: the shipped clips and their fakes, in the layout of UADFV."""

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
SMOOTHING = 0.8  # weight of the previous box, so that the edge of the fake does not jitter


def make_set(root: Path, *, seed: int = 0, progress: Callable[[Path], None] = lambda path: None) -> Path:
    """Write a real and a fake video of each person in the shipped clips.

    A fake is the real video with a warped face (see `deepfake_cli.demo.face_warp`). Both use the same encoder, so the codec is
    no shortcut.

    Args:
        root: folder for ``real/0000.mp4`` and ``fake/0000_fake.mp4`` ….
        seed: of the parameters of the fakes.
        progress: called with the path of each video written.

    Returns:
        `root`.
    """
    random = np.random.default_rng(seed)
    detect = rfb320(0.5)
    for number, (name, _) in enumerate(CLIPS):
        images = [image for _, image in frames(FOLDER / name) if image is not None]
        warp, boxes = Warp.draw(random), _smoothed(detect(image) for image in images)
        forged = [warp_face(image, box[:4], warp=warp) for image, box in zip(images, boxes, strict=True)]
        for path, pictures in (
            (root / "real" / f"{number:04d}.mp4", images),
            (root / "fake" / f"{number:04d}_fake.mp4", forged),
        ):
            _write(path, pictures)
            progress(path)
    return root


def _smoothed(detections: Iterator[list[Box]]) -> Iterator[Box]:
    """The best box of each frame, smoothed over time; the previous one if a frame has none."""
    last: np.ndarray | None = None
    for boxes in detections:
        if boxes:
            box = np.array(boxes[0][:5])
            last = box if last is None else SMOOTHING * last + (1 - SMOOTHING) * box
        yield Box(*(last if last is not None else np.zeros(5)))


def _write(path: Path, images: list[np.ndarray]) -> None:
    height, width = images[0].shape[:2]
    with whole(path) as partial:
        writer = cv2.VideoWriter(str(partial), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (width, height))
        if not writer.isOpened():
            raise VideoError(f"{path}: this OpenCV cannot write MPEG-4 video. Run deepfake doctor to find out why.")
        for image in images:
            writer.write(image)
        writer.release()

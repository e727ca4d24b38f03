"""Pictures through what videos go through: noise, then H.264 as a few moving frames, or JPEG."""

from fractions import Fraction

import cv2
import numpy as np

from deepfake_cli.pseudo_fakes.picture import blurred, bytes_of
from deepfake_cli.pseudo_fakes.warp import about

NOISY, LOUDEST = 0.3, 8.0  # share of the pictures with noise of a sensor, its greatest deviation
VIDEO, PHOTO = 0.75, 0.15  # share that goes through H.264, through JPEG; the rest is left as it is
FRAMES = 4  # at most, that one picture is made
CRF = (((18, 28), 0.4), ((28, 36), 0.3), ((34, 42), 0.3))  # from, to before, share
PRESETS = {"ultrafast": 0.1, "veryfast": 0.6, "medium": 0.3}
QUALITY = 35, 98  # of JPEG
STILL = 0.006  # deviation of what a camera moves from frame to frame, in sides of the picture


def compressed(rng: np.random.Generator, pictures: list[np.ndarray]) -> tuple[list[np.ndarray], int]:
    """Put pictures through the same noise and the same codec.

    Args:
        rng: where chance comes from.
        pictures: float32 BGR (side, side, 3) in 0..255, of one even side.

    Returns:
        The pictures, uint8, and what was done: H.264's constant rate factor, JPEG's quality below 0, or 0 for nothing.
    """
    kind = rng.random()
    if rng.random() < NOISY:
        noise = rng.standard_normal(pictures[0].shape).astype(np.float32) * np.float32(rng.uniform(1, LOUDEST))
        noise = blurred(noise, rng.uniform(0, 0.8))
        pictures = [picture + noise for picture in pictures]
    images = [bytes_of(picture) for picture in pictures]
    if kind < VIDEO:
        low, high = CRF[rng.choice(len(CRF), p=[share for _, share in CRF])][0]
        crf = int(rng.integers(low, high))
        preset = list(PRESETS)[rng.choice(len(PRESETS), p=list(PRESETS.values()))]
        motion = _motion(rng, int(rng.integers(1, FRAMES + 1)), images[0].shape[0])
        return [_through_h264([_moved(image, by) for by in motion], crf, preset) for image in images], crf
    if kind < VIDEO + PHOTO:
        quality = int(rng.integers(*QUALITY))
        return [jpeg(image, quality) for image in images], -quality
    return images, 0


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """A uint8 image through JPEG."""
    decoded = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    assert decoded is not None  # OpenCV has just written it
    return decoded


def _motion(rng: np.random.Generator, count: int, side: int) -> list[np.ndarray | None]:
    """How the frames before the last one are moved; the last is not."""
    shift, turn, zoom = rng.normal(0, STILL, 2) * side, rng.normal(0, 0.004), rng.normal(0, 0.004)
    centre = np.full(2, (side - 1) / 2)
    found: list[np.ndarray | None] = []
    for time in range(1 - count, 0):
        scale = 1 + zoom * time
        c, s = scale * np.cos(turn * time), scale * np.sin(turn * time)
        found.append(about(centre, np.array([[c, -s], [s, c]]), shift * time))
    return [*found, None]


def _moved(image: np.ndarray, by: np.ndarray | None) -> np.ndarray:
    if by is None:
        return image
    return cv2.warpAffine(image, by, image.shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def _through_h264(images: list[np.ndarray], crf: int, preset: str) -> np.ndarray:
    """Encode frames, and return the last one as it is decoded."""
    import av

    encoder = av.CodecContext.create("libx264", "w")
    encoder.height, encoder.width = images[0].shape[:2]
    encoder.pix_fmt, encoder.time_base, encoder.framerate = "yuv420p", Fraction(1, 25), Fraction(25)
    encoder.thread_count = 1
    encoder.options = {
        "crf": str(crf),
        "preset": preset,
        "bf": "2",
        "mbtree": "0",
    }  # its memory is not always set: other bytes
    packets = []
    for number, image in enumerate(images):
        planes = cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420)
        frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    decoded = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    return cv2.cvtColor(decoded[-1].to_ndarray(), cv2.COLOR_YUV2BGR_I420)

"""Video degradation of pictures: noise, then H.264 as a few moving frames, or JPEG."""

from fractions import Fraction

import cv2
import numpy as np

from deepfake_cli.pseudo_fakes.picture import blurred, bytes_of
from deepfake_cli.pseudo_fakes.warp import about

NOISY, LOUDEST = 0.3, 8.0  # share of pictures with sensor noise, and its largest standard deviation
VIDEO, PHOTO = 0.75, 0.15  # shares that are encoded as H.264 and as JPEG; the rest is not encoded
FRAMES = 4  # largest number of frames made from a picture
CRF = (((18, 28), 0.4), ((28, 36), 0.3), ((34, 42), 0.3))  # constant rate factors (from, up to but excluding), share
PRESETS = {"ultrafast": 0.1, "veryfast": 0.6, "medium": 0.3}
QUALITY = 35, 98  # JPEG quality
STILL = 0.006  # standard deviation of camera motion per frame, in sides of the picture


def compressed(rng: np.random.Generator, pictures: list[np.ndarray]) -> tuple[list[np.ndarray], int]:
    """Add the same noise to all pictures, and encode them with the same codec.

    Args:
        rng: random generator.
        pictures: float32 BGR (side, side, 3) in 0..255, with the same even side.

    Returns:
        The pictures, uint8; and H.264's constant rate factor, or minus the JPEG quality, or 0 for no codec.
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
    """Encode a uint8 image as JPEG, and decode it."""
    decoded = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    assert decoded is not None  # encoded by OpenCV just now
    return decoded


def _motion(rng: np.random.Generator, count: int, side: int) -> list[np.ndarray | None]:
    """Affine maps of the frames; None for the last one, which is not moved."""
    shift, turn, zoom = rng.normal(0, STILL, 2) * side, rng.normal(0, 0.004), rng.normal(0, 0.004)
    centre = np.full(2, (side - 1) / 2)
    maps: list[np.ndarray | None] = []
    for time in range(1 - count, 0):
        scale = 1 + zoom * time
        c, s = scale * np.cos(turn * time), scale * np.sin(turn * time)
        maps.append(about(centre, np.array([[c, -s], [s, c]]), shift * time))
    return [*maps, None]


def _moved(image: np.ndarray, by: np.ndarray | None) -> np.ndarray:
    if by is None:
        return image
    return cv2.warpAffine(image, by, image.shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def _through_h264(images: list[np.ndarray], crf: int, preset: str) -> np.ndarray:
    """Encode frames as H.264, and return the last one decoded."""
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
    }  # macroblock trees read uninitialised memory, so results would vary
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

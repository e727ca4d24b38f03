"""The corruptions: functions of images of one video, uint8 RGB (frames, size, size, 3), an amount, and a generator per image."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from deepfake_cli.media.reencode import reencoded

Generators = Sequence[np.random.Generator]

SIDE = 224  # pixels: reference side for sizes, which scale with the actual side
BLOCKS = 14  # per row
COVER = 128  # grey
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


def jpeg(images: np.ndarray, quality: float, generators: Generators) -> np.ndarray:
    """JPEG compression by libjpeg, quality 1..100, with chroma subsampling."""
    return _each(images, lambda image: _through_jpeg(image, int(quality)))


def h264(images: np.ndarray, crf: float, generators: Generators) -> np.ndarray:
    """H.264 compression by x264, as frames of one video, with a constant rate factor of 0..51."""
    stream = reencoded(enumerate(images[..., ::-1]), int(crf))
    return np.stack([image[..., ::-1] for _, image in stream if image is not None])


def blur(images: np.ndarray, sigma: float, generators: Generators) -> np.ndarray:
    """Gaussian blur; sigma in pixels of a `SIDE` image."""
    own = sigma * images.shape[1] / SIDE
    return _each(images, lambda image: cv2.GaussianBlur(image, (0, 0), own))


def noise(images: np.ndarray, sigma: float, generators: Generators) -> np.ndarray:
    """Gaussian noise, independent per pixel and channel; sigma in grey levels."""
    drawn = np.stack([generator.standard_normal(images.shape[1:], np.float32) for generator in generators])
    return _rounded(images + sigma * drawn)


def scale(images: np.ndarray, factor: float, generators: Generators) -> np.ndarray:
    """Downscale by this factor (area), then upscale (bilinear)."""
    side = images.shape[1]
    small = (max(1, round(side * factor)),) * 2

    def down_and_up(image: np.ndarray) -> np.ndarray:
        return cv2.resize(cv2.resize(image, small, interpolation=cv2.INTER_AREA), (side, side))

    return _each(images, down_and_up)


def brightness(images: np.ndarray, gain: float, generators: Generators) -> np.ndarray:
    """Multiply all values: below 1 is darker."""
    return _rounded(images * np.float32(gain))


def contrast(images: np.ndarray, gain: float, generators: Generators) -> np.ndarray:
    """Multiply the distance from the mean luma of the image: below 1 is flatter."""
    middle = (images @ LUMA).mean(axis=(1, 2))[:, None, None, None].astype(np.float32)
    return _rounded(middle + (images - middle) * np.float32(gain))


def saturation(images: np.ndarray, gain: float, generators: Generators) -> np.ndarray:
    """Multiply the distance from the luma of the pixel; 0 is grey."""
    luma = (images @ LUMA)[..., None].astype(np.float32)
    return _rounded(luma + (images - luma) * np.float32(gain))


def occlusion(images: np.ndarray, share: float, generators: Generators) -> np.ndarray:
    """Cover this share of the blocks in grey; there are `BLOCKS` per row."""
    side, covered = images.shape[1], images.copy()
    places = np.arange(side) * BLOCKS // side
    for image, generator in zip(covered, generators, strict=True):
        chosen = np.zeros(BLOCKS**2, bool)
        chosen[generator.permutation(BLOCKS**2)[: round(share * BLOCKS**2)]] = True
        image[chosen.reshape(BLOCKS, BLOCKS)[places[:, None], places]] = COVER
    return covered


def _through_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    coded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))[..., ::-1]


def _each(images: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    return np.stack([change(image) for image in images])


def _rounded(images: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(images), 0, 255).astype(np.uint8)

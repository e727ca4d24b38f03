"""Changes by camera and scene, the same for real and fake: light, shadow, focus, motion, occlusion."""

import cv2
import numpy as np

from deepfake_cli.pseudo_fakes.picture import LUMA, blurred, bytes_of, gamma, recoloured, sharpened, smoothed
from deepfake_cli.pseudo_fakes.warp import pixels, ripples

REFERENCE = 250  # side of a canvas, in pixels, for which strengths of blur and sharpening are given


def filmed(rng: np.random.Generator, picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Change a picture like another light and another camera.

    Args:
        rng: random generator.
        picture: float32 BGR (side, side, 3) in 0..255.
        points: of the face mesh, float32 (468, 2).
    """
    height, scale = float(np.ptp(points[:, 1])), picture.shape[0] / REFERENCE
    if rng.random() < 0.35:
        picture = gamma(picture, float(np.exp(rng.uniform(-0.6, 0.6))))
    if rng.random() < 0.5:
        picture = recoloured(picture, rng, 1.2)
    if rng.random() < 0.25:  # coloured light
        picture = picture * np.exp(rng.uniform(-0.25, 0.25, 3)).astype(np.float32)
    if rng.random() < 0.25:
        picture = _shadowed(rng, picture, points, height)
    if rng.random() < 0.15:
        picture = _background_blurred(rng, picture, points, height)
    if rng.random() < 0.04:
        picture = np.repeat((picture @ LUMA)[..., None], 3, axis=2)
    if rng.random() < 0.12:  # a beauty filter on the whole picture
        smooth = smoothed(bytes_of(picture), rng.uniform(15, 50), rng.uniform(2, 6)).astype(np.float32)
        picture = picture + np.float32(rng.uniform(0.3, 1)) * (smooth - picture)
    if rng.random() < 0.3:
        picture = sharpened(picture, rng.uniform(0.2, 1.3), rng.uniform(0.7, 2) * scale)
    elif rng.random() < 0.2:
        picture = blurred(picture, rng.uniform(0.3, 1.6) * scale)
    if rng.random() < 0.12:
        picture = _shaken(rng, picture)
    return np.clip(picture, 0, 255).astype(np.float32)


def covered(rng: np.random.Generator, pictures: list[np.ndarray], points: np.ndarray) -> list[np.ndarray]:
    """Put the same object in front of the face in each picture."""
    height, shape = float(np.ptp(points[:, 1])), pictures[0].shape
    centre = points.mean(axis=0) + rng.uniform(-0.6, 0.6, 2) * height
    axes = rng.uniform(0.06, 0.3, 2) * height + 1
    mask = np.zeros(shape[:2], np.float32)
    middle, radii = (tuple(map(int, each)) for each in (centre, axes))
    cv2.ellipse(mask, middle, radii, rng.uniform(0, 180), 0, 360, 1.0, -1, cv2.LINE_AA)
    mask = blurred(mask, rng.uniform(0.5, 2.5))[..., None]
    occluder = rng.uniform(10, 235, 3).astype(np.float32) + ripples(rng, shape, 12, 18, channels=1)
    return [picture + mask * (occluder - picture) for picture in pictures]


def barred(rng: np.random.Generator, pictures: list[np.ndarray], points: np.ndarray) -> list[np.ndarray]:
    """Add the same bar above, below or beside the face in each picture, as of a letterbox or caption."""
    height, side = float(np.ptp(points[:, 1])), pictures[0].shape[0]
    colour = rng.uniform(0, 255, 3) if rng.random() < 0.3 else rng.uniform(0, 25) * np.ones(3)
    distance = height * rng.uniform(0.5, 0.9)  # from the middle of the face
    start = int(np.clip(side / 2 + distance, 0, side))
    turns = int(rng.integers(4))
    results = []
    for picture in pictures:
        turned = np.rot90(picture, turns).copy()
        turned[start:] = colour.astype(np.float32)
        results.append(np.ascontiguousarray(np.rot90(turned, -turns)))
    return results


def _shadowed(rng: np.random.Generator, picture: np.ndarray, points: np.ndarray, height: float) -> np.ndarray:
    """Add a shadow across the face, with a hard or soft edge."""
    x, y = pixels(picture.shape)
    angle, centre = rng.uniform(0, 2 * np.pi), points.mean(axis=0) + rng.uniform(-0.4, 0.4, 2) * height
    width = height * np.exp(rng.uniform(np.log(0.02), np.log(0.8)))
    across = ((x - centre[0]) * np.cos(angle) + (y - centre[1]) * np.sin(angle)) / width
    depth = rng.uniform(0.15, 0.7) / (1 + np.exp(-np.clip(across, -30, 30)))
    return picture * (1 - depth[..., None]).astype(np.float32)


def _background_blurred(rng: np.random.Generator, picture: np.ndarray, points: np.ndarray, height: float) -> np.ndarray:
    """Blur the background around the head."""
    x, y = pixels(picture.shape)
    middle = points.mean(axis=0)
    away = np.hypot((x - middle[0]) / (0.62 * height), (y - middle[1] + 0.1 * height) / (0.85 * height))
    share = np.clip((away - 1) / 0.25, 0, 1)[..., None].astype(np.float32)
    return picture + share * (blurred(picture, height * rng.uniform(0.01, 0.06)) - picture)


def _shaken(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Motion blur along a line, as by a moving camera."""
    length = int(rng.integers(3, max(4, picture.shape[0] // 30)))
    angle, kernel = rng.uniform(0, np.pi), np.zeros((length, length), np.float32)
    reach = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    first, last = (tuple(int(each) for each in length / 2 + sign * reach) for sign in (-1, 1))
    cv2.line(kernel, first, last, 1.0)
    return cv2.filter2D(picture, -1, kernel / max(float(kernel.sum()), 1))

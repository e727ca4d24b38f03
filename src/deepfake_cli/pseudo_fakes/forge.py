"""Three methods to forge a face: self-blending, face swap and reenactment."""

from dataclasses import dataclass

import cv2
import numpy as np

from deepfake_cli.pseudo_fakes import regions
from deepfake_cli.pseudo_fakes.gallery import Gallery
from deepfake_cli.pseudo_fakes.picture import (
    blurred,
    bytes_of,
    drawn,
    log_uniform,
    matched,
    recoloured,
    rehued,
    rescaled,
    sharpened,
    smoothed,
)
from deepfake_cli.pseudo_fakes.warp import about, meshed, moved, pixels, ripples, similarity

OPACITIES = (1.0, 1.0, 1.0, 0.75, 0.5, 0.25)  # of self-blended faces (Shiohara and Yamasaki, 2022)
CLONED = 0.12  # share of swaps with Poisson blending (Perez et al., 2003)


@dataclass(frozen=True)
class Sizes:
    """Sizes of faces and crops, in pixels.

    Attributes:
        faces: range of the side of a face's box in the video.
        generator: range of the resolution of generated faces.
        detail: height of a face for which strengths are given.
        kept: side of the crops.
    """

    faces: tuple[float, float] = (64, 250)
    generator: tuple[float, float] = (40, 170)
    detail: float = 110
    kept: int = 192


@dataclass(frozen=True)
class Scene:
    """A face to forge.

    Attributes:
        rng: random generator.
        gallery: the portraits, source of donors.
        number: index of the portrait.
        side: of the face's box, in pixels.
        flip: whether it is mirrored.
        picture: float32 BGR (canvas, canvas, 3) in 0..255.
        points: of the face mesh, float32 (468, 2).
        sizes: of faces and crops.
    """

    rng: np.random.Generator
    gallery: Gallery
    number: int
    side: float
    flip: bool
    picture: np.ndarray
    points: np.ndarray
    sizes: Sizes = Sizes()

    @property
    def height(self) -> float:
        """Height of the face from brow to chin, in pixels."""
        return float(np.ptp(self.points[:, 1]))


Forged = tuple[np.ndarray, np.ndarray, np.ndarray]  # real, fake, and the mask, float32 (canvas, canvas) in 0..1


def self_blended(scene: Scene) -> Forged:
    """Blend a face with a copy of itself: Shiohara and Yamasaki, "Detecting Deepfakes with Self-Blended Images", CVPR 2022.

    The copy or the picture, at random, is changed in colour and sharpness, so the face is smoother or sharper than its
    surroundings equally often. Then the copy is moved slightly.
    """
    rng = scene.rng
    mask = masked(scene, scene.points, regions.ANY)
    changed = _textured(scene, _tinted(rng, scene.picture))
    source, target = (changed, scene.picture) if rng.random() < 0.5 else (scene.picture, changed)
    source = _nudged(scene, source)
    if rng.random() < 0.3:
        source = generated(scene, source)
    mask = mask * np.float32(OPACITIES[rng.integers(len(OPACITIES))])
    return target, _blended(source, target, mask), mask


def swapped(scene: Scene) -> Forged:
    """Replace a face by a donor's: warp its mesh, degrade it like a generator, match its colours, then blend or clone it in."""
    rng, gallery = scene.rng, scene.gallery
    donor, theirs = gallery.placed(gallery.donor(scene.number, rng), scene.side, flip=scene.flip)
    fit = similarity(theirs, scene.points)
    placed, share = moved(theirs, fit), rng.uniform(0, 1) ** 0.7  # 1 - share of the donor's face shape is kept
    goal = (placed + (scene.points - placed) * np.float32(share)).astype(np.float32)
    source = meshed(donor, theirs, goal, gallery.triangles, cv2.invertAffineTransform(fit))
    mask = masked(scene, goal if rng.random() < 0.5 else scene.points, regions.SWAPPED)
    if rng.random() < 0.55:
        source = generated(scene, source)
    if rng.random() < 0.9:
        face = hull(scene.picture.shape, scene.points[regions.OVAL])
        source = matched(source, scene.picture, face, rng.uniform(0.6, 1))
    if rng.random() < 0.25:
        source = recoloured(source, rng, 0.3)
    if rng.random() < CLONED and (cloned := _cloned(source, scene.picture, mask)) is not None:
        return scene.picture, cloned, mask
    if rng.random() < 0.2:
        mask = mask * np.float32(rng.uniform(0.6, 1))
    return scene.picture, _blended(source, scene.picture, mask), mask


def reenacted(scene: Scene) -> Forged:
    """Give a face a donor's expression, mainly of mouth or eyes, and render it again, like Face2Face and NeuralTextures."""
    rng, gallery, points = scene.rng, scene.gallery, scene.points
    _, theirs = gallery.placed(gallery.donor(scene.number, rng), scene.side, flip=scene.flip)
    change = (moved(theirs, similarity(theirs, points)) - points) * np.float32(rng.uniform(0.4, 1.3))
    part, shares = rng.random(), regions.SPEAKING
    if part < 0.6:
        weights = _near(points, regions.LIPS, 0.28 * scene.height)
    else:
        shares = regions.LOOKING
        weights = np.ones(len(points), np.float32)
        weights[regions.OVAL] = 0.3
        if part < 0.8:
            weights = _near(points, regions.EYES, 0.25 * scene.height)
    goal = (points + change * weights[:, None]).astype(np.float32)
    stay = np.eye(2, 3, dtype=np.float32)
    source = generated(scene, meshed(scene.picture, points, goal, gallery.triangles, stay))
    if rng.random() < 0.5:
        source = recoloured(source, rng, 0.35)
    mask = masked(scene, points, shares)
    return scene.picture, _blended(source, scene.picture, mask), mask


def generated(scene: Scene, source: np.ndarray) -> np.ndarray:
    """Degrade a face like a generator: low resolution, too little or too much texture, upsampling artefacts."""
    rng, height = scene.rng, scene.height
    share = log_uniform(rng, *scene.sizes.generator) / (1.25 * height)
    if share < 1:
        source = rescaled(source, share, rng)
    kind = rng.random()
    if kind < 0.25:
        source = smoothed(source, rng.uniform(10, 40), rng.uniform(1.5, 5))
    elif kind < 0.35:
        source = cv2.medianBlur(bytes_of(source), 3).astype(np.float32)
    elif kind < 0.6:
        source = blurred(source, rng.uniform(0.3, 1.2) * height / scene.sizes.detail)
    elif kind < 0.85:
        source = sharpened(source, rng.uniform(0.3, 1.6), rng.uniform(0.8, 2.5) * height / 150)
    if rng.random() < 0.15:  # checkerboard artefacts of transposed convolutions (Odena et al., 2016)
        cell, strength = int(rng.integers(2, 5)), rng.uniform(1, 5)
        y, x = np.mgrid[: source.shape[0], : source.shape[1]] // cell
        source = source + (strength * (((x + y) % 2) * 2 - 1))[..., None].astype(np.float32)
    return source


def hull(shape: tuple[int, ...], points: np.ndarray) -> np.ndarray:
    """Mask of the convex hull of points: 1 inside, 0 outside, float32 (rows, columns)."""
    mask = np.zeros(shape[:2], np.float32)
    corners = cv2.convexHull(np.round(points * 8).astype(np.int32))
    cv2.fillConvexPoly(mask, corners, 1.0, cv2.LINE_AA, shift=3)
    return mask


def masked(scene: Scene, points: np.ndarray, shares: regions.Shares) -> np.ndarray:
    """Mask of a random region of the face, with random size, distortion and soft edge; float32 (rows, columns) in 0..1."""
    rng, height, shape = scene.rng, scene.height, scene.picture.shape
    corners = points[regions.REGIONS[drawn(rng, shares)]]
    centre = corners.mean(axis=0)
    corners = centre + (corners - centre) * rng.uniform(0.88, 1.12, 2) + rng.uniform(-0.03, 0.03, 2) * height
    mask = hull(shape, corners)
    if rng.random() < 0.7:
        bend = ripples(rng, shape, int(rng.integers(3, 8)), height * rng.uniform(0.01, 0.05))
        x, y = pixels(shape)
        mask = cv2.remap(mask, x + bend[..., 0], y + bend[..., 1], cv2.INTER_LINEAR)
    mask = blurred(mask, max(0.6, height * log_uniform(rng, 0.008, 0.09)))
    if rng.random() < 0.5:  # move the soft edge inside or outside the outline
        mask = np.clip(2 * mask - (1 if rng.random() < 0.5 else 0), 0, 1)
    return mask


def _blended(source: np.ndarray, target: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return target + mask[..., None] * (source - target)


def _cloned(source: np.ndarray, target: np.ndarray, mask: np.ndarray) -> np.ndarray | None:
    """Poisson blending; None if the mask leaves the picture or is too small."""
    area = (mask > 0.4).astype(np.uint8) * 255
    area[:2] = area[-2:] = area[:, :2] = area[:, -2:] = 0
    rows, columns = np.nonzero(area)
    if len(rows) < 50:
        return None
    centre = int(columns.min() + columns.max()) // 2, int(rows.min() + rows.max()) // 2
    try:
        pasted = cv2.seamlessClone(bytes_of(source), bytes_of(target), area, centre, cv2.NORMAL_CLONE)
    except cv2.error:
        return None
    return pasted.astype(np.float32)


def _tinted(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    amount = rng.uniform(0.3, 1.3)
    picture = recoloured(picture, rng, amount)
    return rehued(picture, rng, amount) if rng.random() < 0.5 else picture


def _textured(scene: Scene, picture: np.ndarray) -> np.ndarray:
    """Make a picture smoother or sharper, or leave it unchanged."""
    rng, height = scene.rng, scene.height
    kind = rng.random()
    if kind < 0.45:
        return rescaled(picture, rng.uniform(0.3, 0.9) * min(1, scene.sizes.detail / height), rng)
    if kind < 0.8:
        return sharpened(picture, rng.uniform(0.3, 1.5), rng.uniform(0.7, 2.2) * height / 120)
    return picture


def _nudged(scene: Scene, picture: np.ndarray) -> np.ndarray:
    """Rotate, stretch and shift a picture by a few percent."""
    rng = scene.rng
    angle, stretch = rng.uniform(-0.03, 0.03), np.exp(rng.uniform(-0.05, 0.05, 2))
    shift = rng.uniform(-0.03, 0.03, 2) * scene.height
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * stretch
    by = about(scene.points.mean(axis=0), matrix, shift)
    return cv2.warpAffine(picture, by, picture.shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def _near(points: np.ndarray, part: list[int], reach: float) -> np.ndarray:
    """Gaussian weight of each point by its distance to a part of the face, 1 at its centre; float32 (points,)."""
    away = np.square(points - points[part].mean(axis=0)).sum(axis=1)
    return np.exp(-away / (2 * reach**2)).astype(np.float32)

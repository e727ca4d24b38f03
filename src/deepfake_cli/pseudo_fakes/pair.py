"""Make one pair: crops of a real face and its pseudo-fake, as the detector sees them."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from deepfake_cli.pseudo_fakes.codec import compressed, jpeg
from deepfake_cli.pseudo_fakes.forge import Forged, Scene, Sizes, reenacted, self_blended, swapped
from deepfake_cli.pseudo_fakes.gallery import Gallery
from deepfake_cli.pseudo_fakes.picture import bytes_of, drawn, log_uniform
from deepfake_cli.pseudo_fakes.scene import barred, covered, filmed

MARGIN = 1.25  # side of the crops, in sides of the face's box
MASK = 24  # side of the masks, in pixels
SIZES = Sizes()  # the default
TURN = 0.09  # standard deviation of the head's tilt, in radians
OFF, OTHER = 0.05, 0.07  # largest error of a box's position and size
RECOMPRESSED = 0.5  # share of pictures compressed before forging
COVERED, BARRED = 0.12, 0.1  # shares of pictures with an object in front of the face, and with bars

METHODS: dict[str, tuple[float, Callable[[Scene], Forged]]] = {  # share of each method, and its function
    "self_blended": (0.40, self_blended),
    "swapped": (0.38, swapped),
    "reenacted": (0.22, reenacted),
}


@dataclass(frozen=True)
class Pair:
    """A real face and its pseudo-fake.

    Attributes:
        images: real and fake, uint8 BGR (2, kept, kept, 3).
        mask: of the forged region, uint8 (MASK, MASK), 255 for fully forged.
        method: a key of `METHODS`.
        side: of the face's box in the video, in pixels.
        quality: as from `deepfake_cli.pseudo_fakes.codec.compressed`.
    """

    images: np.ndarray
    mask: np.ndarray
    method: str
    side: float
    quality: int


def make_pair(gallery: Gallery, number: int, seed: int, method: str | None = None, sizes: Sizes = SIZES) -> Pair:
    """Make a pair; the same arguments give the same bytes.

    Args:
        gallery: the portraits.
        number: index of the portrait to forge.
        seed: of all random choices.
        method: a key of `METHODS`; None to draw one by their shares.
        sizes: of faces and crops.
    """
    rng = np.random.default_rng(seed)
    side, flip = log_uniform(rng, *sizes.faces), bool(rng.random() < 0.5)
    picture, points = gallery.placed(number, side, flip=flip, turn=rng.normal(0, TURN))
    picture = filmed(rng, picture, points)
    if rng.random() < RECOMPRESSED:
        picture = jpeg(bytes_of(picture), int(rng.integers(45, 96))).astype(np.float32)
    method = method or drawn(rng, {name: share for name, (share, _) in METHODS.items()})
    real, fake, mask = METHODS[method][1](Scene(rng, gallery, number, side, flip, picture, points, sizes))
    pictures = [np.clip(image, 0, 255) for image in (real, fake)]
    if rng.random() < COVERED:
        pictures = covered(rng, pictures, points)
    if rng.random() < BARRED:
        pictures = barred(rng, pictures, points)
    images, quality = compressed(rng, pictures)
    side_kept = side * MARGIN * rng.uniform(1 - OTHER, 1 + OTHER)
    centre = images[0].shape[0] / 2 + rng.uniform(-OFF, OFF, 2) * side
    kept = np.stack([_cut(image, centre, side_kept, sizes.kept) for image in images])
    small = cv2.resize(_cut(mask, centre, side_kept, sizes.kept), (MASK, MASK), interpolation=cv2.INTER_AREA)
    return Pair(kept, bytes_of(255 * small), method, side, quality)


def _cut(image: np.ndarray, centre: np.ndarray, side: float, size: int) -> np.ndarray:
    """Crop a square around a centre and scale it to `size`, without aliasing."""
    scale = size / side
    if scale < 0.7:
        image, centre, scale = (
            cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA),
            centre * scale,
            1.0,
        )
    left, top = size / 2 - scale * centre
    by = np.array([[scale, 0, left], [0, scale, top]], np.float32)
    return cv2.warpAffine(image, by, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

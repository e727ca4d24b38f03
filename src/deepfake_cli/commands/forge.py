"""``deepfake forge``: preview pseudo-fakes and degradations as an image grid."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from deepfake_cli.config import Forge
from deepfake_cli.errors import DatasetError, DeepfakeError
from deepfake_cli.faces import FaceDetector, find_face_detector
from deepfake_cli.faces.box import Box
from deepfake_cli.faces.crop import crop
from deepfake_cli.media.video import VIDEO_SUFFIXES, FrameSampler, FrameSource, is_frame
from deepfake_cli.native_output import quiet
from deepfake_cli.reporting.image_grid import Row, Tile, image_grid, save
from deepfake_cli.storage.disk import reason
from deepfake_cli.storage.folders import CIRCLE, below, exists, is_folder


class Face(NamedTuple):
    """A face crop, uint8 RGB (size, size, 3), and its eyes, relative to the side of the crop (NaN: unknown)."""

    name: str
    image: np.ndarray
    eyes: tuple[float, ...] = (np.nan,) * 4


@dataclass
class ForgeResult:
    """Result of `forge`.

    Attributes:
        sheet: the PNG.
        rows: number of rows.
        bad: unusable files, with the reason.
        closed: folders that cannot be listed, with the reason.
    """

    sheet: Path
    rows: int
    bad: list[tuple[str, str]] = field(default_factory=list)
    closed: dict[Path, str] = field(default_factory=dict)


def forge(settings: Forge) -> ForgeResult:
    """Make pseudo-fakes of faces, degrade them if requested, and draw them before and after.

    Args:
        settings: see `deepfake_cli.config.Forge`.

    Raises:
        DatasetError: a path is missing or has no images, or no face is found.
        DeepfakeError: a forgery, degradation or face detector is unknown.
    """
    unread: dict[Path, str] = {}
    files = [file for path in settings.paths for file in _files(path, unread)]
    faces, bad = _faces(settings, files)
    bad += [(str(path), why) for path, why in unread.items() if why == CIRCLE]
    closed = {path: why for path, why in unread.items() if why != CIRCLE}
    if not faces:
        name, why = [*bad, *closed.items()][0]
        raise DatasetError(f"None of the images can be used. {name}: {why}.")
    shown = [faces[number % len(faces)] for number in range(settings.count)]
    with quiet():
        from deepfake_cli import forgery  # loads TensorFlow, so only after the files are checked
    forgeries = forgery.build(
        settings.forgery, forgery.FORGERIES, "forgery", strength=settings.strength, margin=settings.margin
    )
    degradations = (
        forgery.build(settings.degradation, forgery.DEGRADATIONS, "degradation", strength=settings.strength)
        if settings.degradation
        else []
    )
    turns = [(number + number // len(faces)) % len(forgeries) for number in range(len(shown))]
    names = [settings.forgery.split(",")[turn].strip() for turn in turns]
    pictures = _forged(shown, turns, forgeries, settings.seed)
    if degradations:
        pictures["degraded"] = _degraded(pictures["after"], degradations, settings.seed)
    images = zip(*pictures.values(), strict=True)
    rows = [Row([*map(Tile, row)], face.name, name) for face, name, row in zip(shown, names, images, strict=True)]
    save(settings.output, image_grid(rows, settings.size, headings=list(pictures)))
    return ForgeResult(settings.output, len(rows), bad, closed)


def _faces(settings: Forge, files: list[Path]) -> tuple[list[Face], list[tuple[str, str]]]:
    """One face per row, each from another file if there are enough files; and the unusable ones."""
    if not files:
        return [], []
    places = np.linspace(0, len(files) - 1, min(settings.count, len(files))).round().astype(int)
    per_file = -(-settings.count // len(places))
    detect = find_face_detector(settings.face_detector)(settings.min_score) if settings.crop else None
    faces: list[Face] = []
    bad: list[tuple[str, str]] = []
    for file in [files[place] for place in places]:
        try:
            faces += _faces_of(file, per_file, detect, settings)
        except (DeepfakeError, OSError) as error:
            bad.append((str(file), reason(error)))
    return faces, bad


def _files(path: Path, unread: dict[Path, str]) -> list[Path]:
    if not is_folder(path):
        if not exists(path):
            raise DatasetError(f"{path}: no such image, video or folder.")
        return [path]
    files = [
        file
        for file in below(path, unread)
        if (is_frame(file) or file.suffix.lower() in VIDEO_SUFFIXES) and not file.name.startswith(".")
    ]
    if not files and not unread:
        raise DatasetError(f"{path}: no images or videos in this folder.")
    return files


def _faces_of(file: Path, most: int, detect: FaceDetector | None, settings: Forge) -> Iterator[Face]:
    source = FrameSource(file)
    total = source.count()
    for index, image in source.frames(FrameSampler(1, most, total)):
        if image is None:
            raise DatasetError("cannot be read as an image")
        name = f"{file.name} {index}" if total > 1 else file.name
        yield _cut(name, image, detect, settings) if detect else _whole(name, image, settings.size)


def _whole(name: str, image: np.ndarray, size: int) -> Face:
    return Face(name, cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)[..., ::-1])


def _cut(name: str, image: np.ndarray, detect: FaceDetector, settings: Forge) -> Face:
    """The crop of the largest face, with its eyes if the face detector finds them."""
    boxes = detect(image)
    if not boxes:
        raise DatasetError(
            f"no face found with a score of at least {settings.min_score}; see --min-score and --no-crop"
        )
    box = max(boxes, key=lambda face: face.area)
    square = crop(image, box, margin=settings.margin, size=settings.size)
    return Face(name, square[..., ::-1], _eyes(box, settings.margin))


def _eyes(box: Box, margin: float) -> tuple[float, ...]:
    if box.eyes is None:
        return (np.nan,) * 4
    side = margin * max(box.x1 - box.x0, box.y1 - box.y0)
    centre = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    return tuple((value - centre[number % 2]) / side + 0.5 for number, value in enumerate(box.eyes))


def _forged(faces: list[Face], turns: list[int], forgeries: list[Any], seed: int) -> dict[str, np.ndarray]:
    """Images before, masks and images after, float32 (rows, size, size, 3 or 1), each row by its own method."""
    before = np.stack([face.image for face in faces]).astype("float32")
    eyes = np.array([face.eyes for face in faces], "float32")
    masks, after = np.zeros_like(before[..., :1]), before.copy()
    for number, layer in enumerate(forgeries):
        selected = np.array(turns) == number
        if selected.any():
            forged, soft = layer.forge(before[selected], (seed, 0), eyes[selected])
            after[selected], masks[selected] = np.asarray(forged), np.asarray(soft)
    return {"before": before, "mask": masks * 255, "after": after}


def _degraded(images: np.ndarray, degradations: list[Any], seed: int) -> np.ndarray:
    """Degrade all images, with share 1."""
    for layer in degradations:
        if hasattr(layer, "share"):
            layer.share = 1.0
        images = np.asarray(layer(images, seed=(seed, 0), training=True))
    return images

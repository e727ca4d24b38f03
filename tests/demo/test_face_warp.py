"""The face warp on one frame of real faces, and the shipped clips."""

import cv2
import numpy as np
import pytest

from deepfake_cli import assets
from deepfake_cli.demo.face_warp import Warp, mask, warp_face

FACES = {  # the detector's box in frame 40
    "man_a.mp4": (154.7, 91.8, 250.8, 240.2),
    "woman_b.mp4": (339.6, 21.1, 542.8, 348.1),
    "man_c.mp4": (221.5, 69.1, 367.4, 288.7),
}


def draw(seed=0, **how):
    return Warp.draw(np.random.default_rng(seed), **how)


def sharpness(image, where):
    return cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.CV_64F)[where].var()


def read(name):
    capture = cv2.VideoCapture(str(assets.FOLDER / name))
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1])
    return frames


@pytest.fixture(scope="module", params=FACES)
def face(request):
    return read(request.param)[40], FACES[request.param]


@pytest.mark.parametrize("seed", range(5))
def test_fake_differs_inside_the_mask_only(face, seed):
    image, box = face
    before, warp = image.copy(), draw(seed)
    forged = warp_face(image, box, warp=warp)
    inside = mask(image.shape, box, warp)
    assert forged.dtype == np.uint8 and forged.shape == image.shape
    assert np.array_equal(image, before)
    assert np.array_equal(forged[inside == 0], image[inside == 0])
    assert (forged[inside == 1] != image[inside == 1]).any(axis=-1).mean() > 0.5


@pytest.mark.parametrize("seed", range(5))
def test_fake_is_smoother_with_similar_colour(face, seed):
    image, box = face
    warp = draw(seed)
    forged = warp_face(image, box, warp=warp)
    inside = mask(image.shape, box, warp) > 0.9
    assert sharpness(forged, inside) < 0.5 * sharpness(image, inside)
    assert np.abs(forged[inside].mean(0) - image[inside].mean(0)).max() < 10


def test_mask_is_soft_and_inside_the_box(face):
    image, box = face
    plane = mask(image.shape, box, draw())
    rows, columns = np.nonzero(plane)
    assert plane.dtype == np.float32 and plane.min() == 0 and plane.max() == 1
    assert columns.min() >= box[0] - 1 and columns.max() <= box[2] and rows.min() >= box[1] - 1 and rows.max() <= box[3]
    assert max(np.abs(np.diff(plane, axis=axis)).max() for axis in (0, 1)) < 0.3  # no hard edge
    corner = plane[int(box[1]) : int(box[1]) + 8, int(box[0]) : int(box[0]) + 8]
    assert not corner.any()  # no square


def test_same_seed_gives_the_same_bytes(face):
    image, box = face
    first, again, other = (warp_face(image, box, warp=draw(seed)) for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes() != other.tobytes()


def test_higher_strength_is_smoother(face):
    image, box = face
    inside = mask(image.shape, box, draw()) > 0.9
    weak, plain, strong = (sharpness(warp_face(image, box, warp=draw(strength=s)), inside) for s in (0.5, 1, 2))
    assert weak > plain > strong


@pytest.mark.parametrize("shift", [(-200, 0), (0, -150), (180, 150), (-230, -200)])
def test_box_partly_outside(shift):
    image = read("man_a.mp4")[0]
    box = tuple(float(edge) for edge in np.add(FACES["man_a.mp4"], shift * 2))
    forged = warp_face(image, box, warp=draw())
    outside = mask(image.shape, box, draw()) == 0
    assert forged.shape == image.shape
    assert np.array_equal(forged[outside], image[outside]) and not np.array_equal(forged, image)


@pytest.mark.parametrize(
    "box", [(-90, 10, -5, 80), (10, 400, 90, 500), (50, 50, 50, 90), (90, 90, 50, 50), (np.nan, 0, 9, 9)]
)
def test_box_outside_or_empty_changes_nothing(box):
    image = read("man_a.mp4")[0]
    assert np.array_equal(warp_face(image, box, warp=draw()), image)


@pytest.mark.parametrize(
    "box", [(100, 100, 101.5, 102), (-4000, -3000, 4000, 3000), (0, 100, 400, 101), (-0.4, -0.4, 0.3, 0.3)]
)
def test_odd_boxes_do_not_fail(box):
    image = read("man_a.mp4")[0]
    assert warp_face(image, box, warp=draw()).shape == image.shape


def test_every_asset_is_in_the_readme():
    readme = (assets.FOLDER / "README.md").read_text(encoding="utf-8")
    shipped = [path.name for path in assets.FOLDER.iterdir() if path.is_file() and path.name != "README.md"]
    assert [name for name in shipped if f"`{name}`" not in readme] == []


def test_clips_are_small_and_complete():
    files = [assets.FOLDER / name for name, _ in assets.CLIPS]
    assert sum(file.stat().st_size for file in files) <= 2_000_000
    assert set(files) == set(assets.FOLDER.glob("*.mp4")) and assets.FACE_DETECTOR.is_file()
    assert [len(read(file.name)) for file in files] == [75, 72, 72]

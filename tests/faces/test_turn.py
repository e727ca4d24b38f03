"""The turn of a head, as it is seen: laws of the measure, on the shipped clips."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from deepfake_cli import Detector
from deepfake_cli.assets import CLIPS, FOLDER
from deepfake_cli.faces import rfb320
from deepfake_cli.faces.box import Box
from deepfake_cli.faces.mesh import face_mesh
from deepfake_cli.faces.turn import turn, turn_of
from deepfake_cli.inference.condition import PROPERTIES
from deepfake_cli.inference.views import MOST, Views
from deepfake_cli.media.encodings import ENCODINGS, write_video

FRONTAL = PROPERTIES["turn"].edges[0]


@pytest.fixture(scope="module")
def measure():
    detect, landmarks = rfb320(), face_mesh()

    def of(image, box=None):
        return turn(image, box or detect(image)[0], landmarks)

    return of


@pytest.fixture(scope="module")
def images(people):
    return [image for frames in people.values() for image in frames[::4]]


def test_a_mirrored_face_is_turned_as_far_to_the_other_side(measure, images):
    for image in images:
        box, width, mirror = rfb320()(image)[0], image.shape[1], image[:, ::-1].copy()
        same = box._replace(x0=width - box.x1, x1=width - box.x0)
        assert measure(mirror, same) == pytest.approx(-measure(image, box), abs=1e-3)
        assert measure(mirror) == pytest.approx(-measure(image), abs=0.05), "with the face found anew"


def test_size_and_tilt_do_not_change_the_turn(measure, images):
    for image in images:
        small = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        height, width = image.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 15, 1)
        tilted = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        assert (measure(small), measure(tilted)) == pytest.approx((measure(image),) * 2, abs=0.08)


def test_the_turn_is_where_the_nose_is_between_the_edges():
    mesh = np.zeros((468, 2))
    mesh[33], mesh[263], mesh[234], mesh[454] = (-3, 0), (3, 0), (-5, 1), (5, 1)
    for place, ratio in ((0, 0), (5, 1), (-2.5, -0.5)):
        mesh[1] = place, 2
        tilt = np.array([[0.6, -0.8], [0.8, 0.6]])
        assert turn_of(mesh) == pytest.approx(ratio)
        assert turn_of(7 * mesh @ tilt.T + (100, 50)) == pytest.approx(ratio), "larger, tilted, elsewhere"


@pytest.mark.parametrize("name", [name for name, _ in CLIPS])
def test_the_shipped_clips_are_frontal(name):
    found = Detector.load().predict(FOLDER / name, max_frames=4)
    assert 0 <= found.condition.turn < FRONTAL
    assert found.condition.part("turn") == {"turn": [None, FRONTAL]}
    assert found.facts()["condition"]["turn"] == pytest.approx(found.condition.turn, rel=1e-3)


def test_what_is_no_face_has_no_turn(images):
    views = Views()
    views.offer(0, np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8), Box(50, 50, 150, 150))
    assert views.turn(0) is None and views.turn(1) is None
    image = images[0]
    views.offer(1, image, rfb320()(image)[0])
    assert views.turn(0) is None and views.turn(1) is not None


def test_a_face_that_is_too_small_has_no_turn(tmp_path, people):
    path = tmp_path / "small.mp4"
    small = [cv2.resize(image, (100, 76), interpolation=cv2.INTER_AREA) for image in people["man_a"]]
    write_video(path, small, ENCODINGS["h264 crf 23"])
    found = Detector.load().predict(path)
    assert found.condition.face_size < 40 and found.condition.turn is None
    assert found.condition.part("turn") is None


@pytest.mark.parametrize("expected", [0, 100])
@pytest.mark.parametrize("count", [1, MOST, 2 * MOST, 2 * MOST + 1, 100, 1000])
def test_frames_are_few_and_evenly_spread_whatever_the_length(count, expected, monkeypatch):
    views = Views(expected)
    monkeypatch.setattr("deepfake_cli.inference.views.crop", lambda image, *_, **__: image)
    for place in range(count):
        views.offer(0, np.full((1, 1, 3), place % 251, np.uint8), Box(0, 0, 1, 1))
    kept = views._kept[0]
    assert (1 if count < expected else min(count, MOST)) <= len(kept) <= 2 * MOST
    places = [int(cv2.imdecode(each, cv2.IMREAD_COLOR)[0, 0, 0]) for each in kept]
    steps = np.diff(places) % 251
    assert places[0] == 0 and len(set(steps.tolist())) <= 1
    assert len(kept) < 2 or len(kept) * steps[0] >= count


def test_the_docs_define_the_turn():
    text = " ".join((Path(__file__).parents[2] / "docs" / "evaluation.md").read_text().split())
    low, high = PROPERTIES["turn"].edges
    assert f"below {low:g}, to {high:g}, more" in text

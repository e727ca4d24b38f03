"""Boxes, crops and detection, on the shipped clips."""

import cv2
import numpy as np
import pytest

from deepfake_cli.assets import CLIPS, FOLDER
from deepfake_cli.errors import VideoError
from deepfake_cli.faces import rfb320
from deepfake_cli.faces.box import Box
from deepfake_cli.faces.crop import crop
from deepfake_cli.faces.interpolate import detect_stream, interpolate
from deepfake_cli.media.video import frames


@pytest.mark.parametrize("name", [name for name, _ in CLIPS])
def test_interpolated_boxes_match_detected_ones(name):
    """IoU of interpolated and detected boxes is at least 0.9."""
    images = list(frames(FOLDER / name))
    looked_at = []
    detect = rfb320(0.7)

    def counting(image):
        looked_at.append(1)
        return detect(image)

    found = list(detect_stream(iter(images), counting, every=2))
    assert [index for index, _, _ in found] == [index for index, _ in images]
    assert len(looked_at) < 0.6 * len(images)
    overlaps = [boxes[0].overlap(detect(image)[0]) for _, image, boxes in found]
    assert min(overlaps) >= 0.9
    assert np.mean(overlaps) >= 0.98


def test_every_1_detects_on_each_frame():
    images = list(frames(FOLDER / CLIPS[0][0]))[:10]
    detect = rfb320(0.7)
    assert [boxes for _, _, boxes in detect_stream(iter(images), detect, every=1)] == [
        detect(image) for _, image in images
    ]


def test_moving_appearing_and_vanishing_faces_are_detected():
    here, there = Box(0, 0, 100, 100), Box(50, 0, 150, 100)
    assert interpolate([here], [there], 0.5) is None
    assert interpolate([here], [], 0.5) is None
    assert interpolate([], [], 0.5) == []
    assert interpolate([here], [Box(4, 0, 104, 100)], 0.25) == [Box(1, 0, 101, 100)]
    assert interpolate([here, there], [there, here], 0.5) == [here, there]


def test_an_unreadable_frame_does_not_affect_others():
    image = np.zeros((10, 10, 3), np.uint8)
    stream = [(0, image), (1, image), (2, None), (3, image), (4, image), (5, image)]
    found = list(detect_stream(iter(stream), lambda image: [Box(0, 0, 5, 5)], every=3))
    assert [(index, len(boxes)) for index, _, boxes in found] == [(0, 1), (1, 1), (2, 0), (3, 1), (4, 1), (5, 1)]


def test_crops_are_square_and_repeat_the_border():
    image = np.arange(40 * 60 * 3, dtype=np.uint8).reshape(40, 60, 3)
    for box in (Box(10, 10, 20, 20), Box(-5, -5, 8, 8), Box(50, 30, 70, 60), Box(0, 0, 60, 40)):
        assert crop(image, box, margin=1.3, size=32).shape == (32, 32, 3)
    assert np.array_equal(crop(image, Box(10, 10, 20, 20), margin=1.0, size=10), image[10:20, 10:20])


def test_crop_reads_an_image_from_its_path(tmp_path, people):
    image, box = next(iter(people.values()))[0], Box(150, 90, 250, 240)
    cv2.imwrite(str(tmp_path / "photo.png"), image)
    expected = crop(image, box, margin=1.3, size=64)
    for path in (tmp_path / "photo.png", str(tmp_path / "photo.png")):
        assert np.array_equal(crop(path, box, margin=1.3, size=64), expected)
    with pytest.raises(FileNotFoundError, match=r"none.png: no such file"):
        crop(str(tmp_path / "none.png"), box, margin=1.3, size=64)
    (tmp_path / "text.png").write_text("x")
    with pytest.raises(VideoError, match=r"text.png: not an image, or damaged"):
        crop(tmp_path / "text.png", box, margin=1.3, size=64)

"""What `Detector.predict` takes, and what it returns: one thing gets a verdict, several get a list."""

import json

import cv2
import fsspec
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import deepfake_cli
from deepfake_cli import Detector
from deepfake_cli.assets import CLIPS, FOLDER
from deepfake_cli.errors import ConfigError, DeepfakeError, VideoError
from deepfake_cli.inference.result import Verdict, Verdicts
from tests.conftest import sample_frames

CLIP = FOLDER / CLIPS[0][0]


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load("starter")


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    """Three frames, uint8 RGB."""
    return [image[..., ::-1] for image in sample_frames(CLIPS[0][0], 3)]


@pytest.fixture(scope="module")
def place(tmp_path_factory, images):
    """A folder with a photo, a folder of numbered frames, and one of photos."""
    root = tmp_path_factory.mktemp("sources")
    for name in ("photo.png", "frames/001.png", "frames/002.png", "frames/003.png", "photos/a.png", "photos/b.png"):
        (root / name).parent.mkdir(exist_ok=True)
        index = int(name[-5]) - 1 if name[-5].isdigit() else 0
        cv2.imwrite(str(root / name), images[index][..., ::-1])
    return root


def test_one_thing_gets_a_verdict_however_it_is_given(detector, place, images):
    photo = detector.predict(place / "photo.png")
    assert isinstance(photo, Verdict)
    for source in (
        str(place / "photo.png"),
        images[0],
        np.ascontiguousarray(images[0]),
        Image.fromarray(images[0]),
        Image.open(place / "photo.png"),
    ):
        verdict = detector.predict(source)
        assert isinstance(verdict, Verdict)
        assert (verdict.label, verdict.score) == (photo.label, pytest.approx(photo.score))
    frames = detector.predict(place / "frames")
    for source in (iter(images), (image for image in images), np.stack(images), map(Image.fromarray, images)):
        verdict = detector.predict(source)
        assert isinstance(verdict, Verdict) and verdict.frames == 3
        assert verdict.score == pytest.approx(frames.score)


def test_several_get_a_list_also_if_they_are_one(detector, place, images):
    for source, count in (
        ([place / "photo.png"], 1),
        ([str(place / "photo.png"), images[0], iter(images)], 3),
        ((images[0], images[1]), 2),
        (str(place / "*.png"), 1),
        (place.glob("photos/*.png"), 2),
        (place / "photos", 2),
        (place, 4),
        ([place / "frames"], 1),
    ):
        verdicts = detector.predict(source)
        assert isinstance(verdicts, Verdicts) and len(verdicts) == count, source
        assert all(isinstance(verdict, Verdict) and verdict.score is not None for verdict in verdicts)


@pytest.mark.slow
def test_folders_of_frames_follow_one_rule_in_python_and_on_the_command_line(detector, place, json_of):
    for folders, frames, photos in (("auto", [3], [1, 1]), ("video", [3], [2]), ("files", [1, 1, 1], [1, 1])):
        for name, expected in (("frames", frames), ("photos", photos)):
            found = detector.predict(place / name, folders=folders)
            assert [each.frames for each in (found if isinstance(found, list) else [found])] == expected
            shown = json_of("predict", place / name, "--folders", folders)["verdicts"]
            assert [each["frames"] for each in shown] == expected
    assert detector.predict(place / "frames", every=2).frames == 2
    (noted,) = json_of("predict", place / "frames", "--every", 2)["verdicts"]
    assert noted["frames"] == 2 and "one video; --folders files judges each" in " ".join(noted["notes"])
    with pytest.raises(ConfigError, match="folders: found 'no'; expected auto, video, files"):
        detector.predict(place, folders="no")


def test_urls_are_sources_like_paths(detector, place):
    store = fsspec.filesystem("memory")
    store.pipe("/sources/photo.png", (place / "photo.png").read_bytes())
    assert isinstance(detector.predict("memory://sources/photo.png"), Verdict)
    assert isinstance(detector.predict("memory://sources"), Verdicts)
    with pytest.raises(FileNotFoundError, match=r"memory://sources/none.png: no such file"):
        detector.predict("memory://sources/none.png")


def test_what_is_not_there_is_a_file_not_found_error(detector, tmp_path):
    (tmp_path / "empty").mkdir()
    for source in ("none.mp4", "none/*.mp4", tmp_path / "empty", [CLIP, "none.mp4"]):
        with pytest.raises(FileNotFoundError) as caught:
            detector.predict(source)
        assert isinstance(caught.value, DeepfakeError) and str(caught.value)
        with pytest.raises(FileNotFoundError):
            detector.stream(source)
    with pytest.raises(FileNotFoundError, match=r"none.mp4: no such file"):
        detector.predict(iter(["none.mp4"]))
    with pytest.raises(FileNotFoundError, match=r"none.mp4: no such file"):
        deepfake_cli.predict(paths=[CLIP, "none.mp4"])


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (np.zeros((8, 8, 3)), r"uint8 .height, width, 3. in 0..255. Received: float64 .8, 8, 3."),
        (np.zeros((8, 8), np.uint8), "Received: uint8"),
        (np.zeros((8, 8, 4), np.uint8), "Received: uint8"),
        ([np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8))], "image 1: expected RGB"),
        (iter([1, 2]), "expected frames as NumPy arrays or PIL images. Received: int"),
        ([], "empty list"),
        (iter([]), "empty iterator"),
        (True, "Received: True"),
        (0.5, "Received: float"),
        ([0], "Item 0: .*Received: int"),
        (999, "webcam 999: cannot be opened"),
    ],
)
def test_bad_sources_are_errors_that_say_what_was_found(detector, source, said):
    with pytest.raises((ConfigError, VideoError), match=said):
        detector.predict(source)


def test_stream_yields_a_verdict_a_file_or_a_live_frame(detector, place, images):
    given = []
    live = detector.stream(given.append(index) or image for index, image in enumerate(images))
    assert next(live).score is not None and given == [0]
    assert len(list(live)) == 2
    assert len(list(detector.stream(iter(images), every=2))) == 2
    assert len(list(detector.stream(iter(images), max_frames=1))) == 1
    assert [each.path.name for each in detector.stream(place / "photos")] == ["a.png", "b.png"]
    assert len(list(detector.stream(place / "frames"))) == 1


def test_a_result_is_short_and_has_its_values(detector, tmp_path):
    verdict = detector.predict(CLIP, every=5)
    assert repr(verdict).startswith(f"<Verdict {verdict.label} {verdict.score:.2f}") and len(repr(verdict)) < 200
    assert verdict.to_dict()["verdict"] == verdict.label
    frames = verdict.to_df()
    assert len(frames) == verdict.frames == len(verdict.faces[0].timeline)
    assert frames["score"].mean() == pytest.approx(verdict.score) and frames["time"].is_monotonic_increasing
    assert json.loads(verdict.save(tmp_path / "v.json").read_text())["score"] == pytest.approx(verdict.score, abs=1e-4)
    assert len(pd.read_csv(verdict.save(tmp_path / "v.csv"))) == len(frames)
    for name, head in (("v.png", b"\x89PNG"), ("v.svg", b"<?xml"), ("v.pdf", b"%PDF")):
        assert verdict.save(str(tmp_path / name)).read_bytes().startswith(head)
    verdicts = Verdicts([verdict] * 12)
    assert repr(verdicts).startswith("<12 verdicts: ") and repr(verdicts).endswith("… 2 more")
    assert len(verdicts.to_df()) == len(verdicts.to_dict()) == verdicts._repr_html_().count("<tr>") - 1 == 12
    assert len(pd.read_csv(verdicts.save(tmp_path / "all.csv"))) == 12
    with pytest.raises(ConfigError, match=r"expected a file named .json, .csv, .png"):
        verdict.save("v.txt")
    with pytest.raises(ConfigError, match=r"expected a file named .json, .csv\."):
        verdicts.save("v.png")
    odd = Verdict(CLIP.with_name("<b>&.mp4"), reason="no face")
    assert "<b>" not in odd._repr_html_() and odd.plot() and odd.to_df().empty


def test_a_detector_is_found_by_run_snapshot_or_file(tmp_path):
    from deepfake_cli.assets import STARTER

    run = tmp_path / "runs" / "one"
    run.mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=r"no best.onnx in this folder, and no best.keras"):
        Detector.load(run)
    (run / "best.keras").write_bytes(b"x")
    for path in (run, run / "best.keras"):
        with pytest.raises(FileNotFoundError, match=r"deepfake export .*best.keras --output .*best.onnx"):
            Detector.load(str(path))
    (run / "best.onnx").write_bytes(STARTER.read_bytes())
    for path in (run, str(run / "best.keras"), run / "best.onnx", "starter", None):
        assert repr(Detector.load(path)) == "<Detector efficientnet_lite0: real below 0.450, fake from 0.650>"

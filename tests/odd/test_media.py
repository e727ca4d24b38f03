"""Every command sees the same image of an odd file: the one that a player shows."""

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd
import pytest

from deepfake_cli import Detector
from deepfake_cli.evaluation.onnx_scorer import scaled
from deepfake_cli.explain.page import part
from deepfake_cli.explain.video import write_video
from deepfake_cli.media.image import read_image
from deepfake_cli.media.video import FrameSource

from .corpus import HEIGHT, MEDIA, PLAIN, WIDTH, plain

NEAR = 0.15  # largest difference to the score of the plain frames
READABLE = [name for name, row in MEDIA.items() if row.frames]
IMAGES = [name for name, row in MEDIA.items() if row.frames == 1 or name.endswith(".gif")]


def file_of(odd: dict[str, Path], name: str) -> Path:
    if name not in odd:
        pytest.skip("needs pillow-heif")
    return odd[name]


def run(*words) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "deepfake_cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=os.environ)


@pytest.fixture(scope="session")
def predicted(odd, tmp_path_factory) -> tuple[dict[str, dict], pd.DataFrame, str]:
    """The verdict of each file, the rows of ``--frames-csv``, and what was printed as errors."""
    csv = tmp_path_factory.mktemp("csv") / "frames.csv"
    done = run("predict", *odd.values(), "--json", "--frames-csv", csv)
    assert done.returncode == 0, done.stderr
    verdicts = json.loads(done.stdout)["verdicts"]
    assert [verdict["path"] for verdict in verdicts] == list(map(str, odd.values()))
    return {Path(verdict["path"]).name: verdict for verdict in verdicts}, pd.read_csv(csv), done.stderr


@pytest.fixture(scope="session")
def extracted(odd, tmp_path_factory) -> tuple[pd.DataFrame, dict[str, str], Path]:
    """The manifest of `split`, the reason or the note of each file, and the folder of the frames."""
    raw, out = tmp_path_factory.mktemp("raw"), tmp_path_factory.mktemp("img")
    for label in ("real", "fake"):
        (raw / label).mkdir()
    for name, path in odd.items():  # a folder each, since names that differ in their suffix alone are one video
        os.link(path, raw / "real" / f"{name.replace('.', '_')}{path.suffix}")
    os.link(odd["plain.mp4"], raw / "fake" / "plain.mp4")
    words = ("split", "folder", "--viddir", raw, "--imgdir", out, "--crop", "none", "--no-boxes", "--format", "png")
    done = run(*words, "--json")
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    found = json.loads(done.stdout)
    said = {each["video"]: each["reason"] for each in found["failed"]} | {
        each["video"]: each["note"] for each in found["notes"]
    }
    said |= {f"real/{Path(name).stem}": "ignored" for name in found["ignored"]}
    return pd.read_csv(out / "manifest.csv", dtype={"video": str}), said, out


@pytest.mark.parametrize("name", MEDIA)
def test_frames_size_and_likeness_are_those_of_a_player(odd, name):
    row, path = MEDIA[name], file_of(odd, name)
    if not row.frames:
        pytest.skip("is refused")
    source = FrameSource(path)
    images = [image for _, image in source.frames()]
    assert len(images) == row.frames and source.count() == row.frames
    assert {image.shape for image in images} == {(*row.size[::-1], 3)}
    if row.near:
        shown = cv2.resize(images[0], (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        assert cv2.PSNR(shown, plain()[0]) > row.near


@pytest.mark.parametrize("name", READABLE)
def test_predict_judges_each_as_the_plain_file(odd, predicted, name):
    row, (verdicts, frames, _) = MEDIA[name], predicted
    file_of(odd, name)
    verdict = verdicts[name]
    notes = "; ".join(verdict["notes"])
    assert verdict["frames"] == row.frames
    assert row.says in notes if row.says else not [note for note in verdict["notes"] if "interval" not in note]
    times = frames[frames["path"] == str(odd[name])].set_index("frame")["time"]
    for frame, time in (row.times or {}).items():
        assert times[frame] == pytest.approx(time, abs=1.5e-3)
    if row.near and row.near > 20 and min(row.size) >= 200:
        assert verdict["score"] == pytest.approx(verdicts["plain.mp4"]["score"], abs=NEAR)


@pytest.mark.parametrize("name", [name for name, row in MEDIA.items() if not row.frames])
def test_predict_says_why_a_file_is_undecided(odd, predicted, name):
    verdict = predicted[0][name]
    assert verdict["verdict"] == "undecided" and verdict["score"] is None
    assert MEDIA[name].says in verdict["reason"]


def test_predict_prints_no_traceback_and_nothing_of_libraries(predicted):
    assert "Traceback" not in predicted[2]
    assert not any(word in predicted[2] for word in ("libpng", "swscaler", "[ERROR", "Warning"))


@pytest.mark.parametrize("name", MEDIA)
def test_split_lists_each_and_writes_the_same_images(odd, extracted, name):
    (table, said, out), row, path = extracted, MEDIA[name], file_of(odd, name)
    video = f"real/{name.replace('.', '_')}"
    if not row.frames:
        assert row.says in said[video]
        return
    mine = table[table["video"] == video]
    if said.get(video) == "ignored":
        pytest.skip("listed as ignored")
    assert len(mine) == row.frames
    assert row.says in said.get(video, "") if row.says else video not in said
    shown = next(image for _, image in FrameSource(path).frames())
    assert np.array_equal(cv2.imread(str(out / mine["path"].iloc[0])), shown)


@pytest.mark.slow
@pytest.mark.parametrize("size", [120, 300])
def test_train_evaluate_and_predict_see_the_same_image(odd, size):
    """The law over all formats: what TensorFlow's pipeline gives a model is what OpenCV's reader gives it."""
    from deepfake_cli.training.input_pipeline import scoring_batches

    names = [name for name in IMAGES if name in odd]
    table = pd.DataFrame({"path": [str(odd[name]) for name in names], "label": 0}).astype({"path": "str"})
    batches = scoring_batches(table, image_size=size, batch_size=8).as_numpy_iterator()
    trained = np.concatenate(list(batches))
    for name, image in zip(names, trained, strict=True):
        shown = next(image for _, image in FrameSource(odd[name]).frames())
        assert np.array_equal(read_image(odd[name]), shown), name
        assert np.array_equal(image_of_train(odd[name]), shown[..., ::-1]), name
        assert np.abs(scaled(str(odd[name]), size).astype(int) - image).max() <= 1, name


def image_of_train(path: Path) -> np.ndarray:
    """What TensorFlow's pipeline decodes, before it scales."""
    from deepfake_cli.training.images import decode, reading

    return decode(reading(pd.Series([str(path)], dtype="str"))(str(path))).numpy()


def test_the_corpus_shows_what_it_says():
    assert PLAIN in {"man_a.mp4"} and plain()[0].shape == (HEIGHT, WIDTH, 3)


def test_page_and_film_show_the_timestamps_of_frames(odd, tmp_path):
    detector = Detector.load()
    verdict = detector.predict(odd["variable.mp4"])
    moments = part(verdict, "variable.mp4", detector)["player"]["moments"]
    assert [moments[place]["when"] for place in (0, -1)] == ["0:00.0", "0:02.6"]
    write_video(tmp_path / "film.mp4", verdict, detector)
    with av.open(str(tmp_path / "film.mp4")) as container:
        stream = container.streams.video[0]
        times = [float(frame.pts * frame.time_base) for frame in container.decode(stream) if frame.time_base]
    assert times == pytest.approx(list(verdict.times)[: len(times)], abs=2e-3) and len(times) > 5

"""predict, through the real command, with the starter detector."""

import csv
import json
import os
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import pandas as pd
import pytest

from deepfake_cli import Detector
from deepfake_cli.assets import CLIPS, FOLDER, STARTER
from deepfake_cli.faces import find_face_detector
from deepfake_cli.faces.crop import crop
from deepfake_cli.inference import runtimes
from deepfake_cli.inference.aggregate import interval, pooled
from deepfake_cli.inference.runtimes.metadata import KEY
from deepfake_cli.media.video import frames
from deepfake_cli.metrics.pooling import POOLS
from deepfake_cli.metrics.videos import video_scores

CLIP = FOLDER / CLIPS[0][0]


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """A frame with a face, uint8 BGR."""
    return next(image for _, image in frames(FOLDER / CLIPS[2][0]))


def write(path: Path, image: np.ndarray) -> None:
    assert cv2.imwrite(str(path), image)


def bomb(path: Path, side: int = 60_000) -> None:
    """A PNG of a few kB that claims 3.6 billion pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    header = side.to_bytes(4) * 2 + bytes([8, 0, 0, 0, 0])
    data = zlib.compress(bytes(1_000_000), 9)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b""))


def bad_files(folder: Path, photo: np.ndarray) -> dict[str, str]:
    """Twenty kinds of unusable files, with a word of the expected reason."""
    folder.mkdir()
    clip, height = CLIP.read_bytes(), photo.shape[0]
    grey = np.full((200, 200, 3), 128, np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.mp4").write_text("this is no video")
    (folder / "text.png").write_text("this is no picture")
    (folder / "zeros.avi").write_bytes(bytes(10_000))
    (folder / "head.mp4").write_bytes(clip[:2_000])
    (folder / "tail.mp4").write_bytes(clip[20_000:])
    (folder / "cut.jpg").write_bytes(cv2.imencode(".jpg", photo)[1].tobytes()[:100])
    (folder / "html.webp").write_text("<html><script>alert(1)</script></html>")
    (folder / "archive.mkv").write_bytes(b"PK\x03\x04" + bytes(500))
    (folder / "<script>alert(1)</script>.mp4".replace("/", "_")).write_bytes(b"\x00\x01")
    (folder / "loop.mp4").symlink_to(folder / "loop.mp4")
    (folder / "gone.mp4").symlink_to(folder / "nowhere.mp4")
    bomb(folder / "bomb.png")
    write(folder / "grey.png", grey)
    write(folder / "noise.png", noise)
    write(folder / "one_pixel.png", grey[:1, :1])
    write(folder / "thin.png", np.repeat(grey[:, :1], 2, axis=1))
    write(folder / "small.png", cv2.resize(photo, (round(photo.shape[1] * 64 / height), 64)))
    write(folder / "blurred.png", cv2.GaussianBlur(photo, (0, 0), 7))
    said = {"small.png": "too small", "blurred.png": "too blurred", "grey.png": "no face", "noise.png": "no face"}
    return {path.name: said.get(path.name, "") for path in folder.iterdir()}


def test_bad_files_are_undecided_with_a_reason(deepfake, tmp_path, photo):
    said = bad_files(tmp_path / "bad", photo)
    assert len(said) == 20
    done = deepfake("predict", "bad", "bad/loop.mp4", "bad/gone.mp4", "missing.mp4", CLIP, "--json", "--max-frames", 10)
    found = {Path(each["path"]).name: each for each in json.loads(done.stdout)["verdicts"]}
    assert found.keys() == said.keys() | {"missing.mp4", CLIP.name}
    for name in said.keys() | {"missing.mp4"}:
        assert found[name]["verdict"] == "undecided" and found[name]["score"] is None, name
        assert found[name]["reason"] and said.get(name, "") in found[name]["reason"], found[name]
        assert "Traceback" not in found[name]["reason"]
    assert found[CLIP.name]["verdict"] == "real" and found[CLIP.name]["reason"] == ""


def test_starter_classifies_shipped_clips_and_their_fakes(deepfake, tmp_path):
    from deepfake_cli.demo.make_set import make_set

    make_set(tmp_path / "set")
    found = json.loads(deepfake("predict", "set", "--json", "--every", 4).stdout)["verdicts"]
    score = {Path(each["path"]).stem: each["score"] for each in found}
    called = {Path(each["path"]).stem: each["verdict"] for each in found}
    assert all((call == "fake") == ("_fake" in name) for name, call in called.items()), called
    assert all(score[f"{number:04d}_fake"] > score[f"{number:04d}"] for number in range(len(CLIPS)))


def test_verdict_of_a_clip(deepfake, tmp_path):
    done = deepfake("predict", CLIP, "--json", "--csv", "files.csv", "--frames-csv", "frames.csv")
    (verdict,) = json.loads(done.stdout)["verdicts"]
    (face,) = verdict["faces"]
    assert verdict["frames"] == len(face["frames"]) == len(face["scores"]) == 75 and verdict["fps"] == 25
    assert face["times"][25] == 1.0 and face["frames"] == list(range(75))
    assert verdict["score"] == pytest.approx(np.mean(face["scores"]), abs=1e-4)
    assert verdict["low"] <= verdict["score"] <= verdict["high"]
    assert verdict["probability"] is None, "the starter is not calibrated"
    with (tmp_path / "files.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["verdict"] == verdict["verdict"] and float(row["score"]) == verdict["score"]
    with (tmp_path / "frames.csv").open() as file:
        assert [float(row["score"]) for row in csv.DictReader(file)] == face["scores"]


def test_every_and_max_frames_select_frames(deepfake):
    def looked_at(*words) -> list[int]:
        (verdict,) = json.loads(deepfake("predict", CLIP, "--json", *words).stdout)["verdicts"]
        return verdict["faces"][0]["frames"]

    assert looked_at("--every", 25) == [0, 25, 50]
    assert looked_at("--max-frames", 3) == [0, 37, 74]


def test_threshold_and_fail_on_decide_the_exit_status(deepfake, tmp_path):
    (tmp_path / "nothing.mp4").write_text("no video")
    assert "real" in deepfake("predict", CLIP, "--every", 25, "--fail-on", "fake").stdout
    assert "fake" in deepfake("predict", CLIP, "--every", 25, "--threshold", 0, "--fail-on", "fake", check=3).stdout
    assert deepfake("predict", "nothing.mp4", "--fail-on", "undecided", check=3)
    assert deepfake("predict", "nothing.mp4", "--fail-on", "fake")


@pytest.mark.slow
@pytest.mark.parametrize("pool", POOLS)
def test_predict_and_evaluate_pool_equally(tmp_path, pool):
    made = onnx.load(STARTER)
    traits = Detector.load().traits
    onnx.helper.set_model_props(made, {KEY: replace(traits, pool=pool).text})
    onnx.save(made, tmp_path / "detector.onnx")
    verdict = Detector.load(tmp_path / "detector.onnx").predict(FOLDER / CLIPS[1][0], max_frames=15)
    frames = pd.DataFrame(
        {"score": verdict.faces[0].timeline.judged, "label": 0, "dataset": "", "video": "v", "group": "g"}
    )
    assert verdict.score == pytest.approx(video_scores(frames, pool)["score"][0])
    assert verdict.interval[0] <= verdict.score <= verdict.interval[1]


def detector(**changes) -> Detector:
    """The starter with other metadata."""
    network = runtimes.load(STARTER, "onnx", 1)
    network.traits = replace(network.traits, **changes)
    return Detector(network)


def test_scores_between_two_thresholds_are_inconclusive(tmp_path, photo):
    verdict = detector(real_below=0.0, threshold=1.0, photo_threshold=1.0).predict(CLIP, max_frames=3)
    assert verdict.label == "undecided" and "inconclusive" in verdict.reason and 0 <= verdict.score <= 1
    score = verdict.score
    for below, above, call in ((score, 1, "undecided"), (score + 1e-6, 1, "real"), (0, score, "fake")):
        traits = {"real_below": below, "threshold": above, "photo_threshold": above}
        assert detector(**traits).predict(CLIP, max_frames=3).label == call
    assert detector().real_below <= detector().threshold


def test_single_images_use_the_photo_threshold(tmp_path, photo):
    write(tmp_path / "photo.png", photo)
    traits = {"real_below": 0.0, "threshold": 0.0, "photo_threshold": 1.0}
    assert detector(**traits).predict(tmp_path / "photo.png").label == "undecided"
    assert detector(**traits).predict(CLIP, max_frames=3).label == "fake"
    (tmp_path / "frames").mkdir()
    for number in range(3):
        write(tmp_path / "frames" / f"{number}.png", photo)
    assert detector(**traits).predict(tmp_path / "frames").label == "fake"


def test_a_given_threshold_replaces_all_others(tmp_path, photo):
    write(tmp_path / "photo.png", photo)
    chosen = Detector.load(threshold=0.0)
    assert chosen.real_below == 0.0 and chosen.rates == ""
    assert chosen.predict(tmp_path / "photo.png").label == "fake"


def test_measured_error_rates_are_printed(deepfake, tmp_path):
    shares = {"real": {"fake": 0.04, "undecided": 0.1}, "fake": {"real": 0.2, "undecided": 0.3}}
    made = onnx.load(STARTER)
    traits = replace(Detector.load().traits, measured={"on": "some videos", **shares}, conditions=None)
    onnx.helper.set_model_props(made, {KEY: traits.text})
    onnx.save(made, tmp_path / "detector.onnx")
    words = ("predict", CLIP, "--max-frames", 3, "--detector", "detector.onnx")
    said = " ".join(deepfake(*words, "--report", "page.html").stdout.split())
    assert "Measured on some videos: of real clips 4 % were called fake and 10 % undecided; of fakes 20 %" in said
    assert "of real clips 4 % were called fake" in (tmp_path / "page.html").read_text()
    assert "Measured" not in deepfake(*words, "--threshold", 0.9).stdout, "at another threshold nothing was measured"


def test_crops_are_judged_without_face_detection(deepfake, tmp_path, photo):
    (box, *_), traits = find_face_detector("rfb320")(0.7)(photo), Detector.load().traits
    face = crop(photo, box, margin=traits.margin, size=traits.image_size)
    write(tmp_path / "crop.png", face)
    write(tmp_path / "tight.png", crop(photo, box, margin=0.5, size=128))
    taken = json.loads(deepfake("predict", "crop.png", "tight.png", "--crops", "--json").stdout)["verdicts"]
    assert taken[0]["score"] == pytest.approx(Detector.load().scores(face[None, ..., ::-1].copy())[0], abs=1e-4)
    assert all(each["score"] is not None for each in taken)
    missed = json.loads(deepfake("predict", "tight.png", "--json").stdout)["verdicts"][0]
    assert missed["verdict"] == "undecided" and "--crops" in missed["reason"]


def test_with_two_faces_the_higher_score_decides(deepfake, tmp_path, photo):
    write(tmp_path / "pair.png", np.hstack([photo, photo[:, ::-1]]))
    one, both = (
        json.loads(deepfake("predict", "pair.png", "--faces", which, "--json").stdout)["verdicts"][0]
        for which in ("largest", "all")
    )
    assert len(one["faces"]) == 1 and len(both["faces"]) == 2
    assert both["score"] == max(face["score"] for face in both["faces"])


@pytest.mark.parametrize(
    ("words", "said"),
    [((), "No files given"), (("*.mp4",), "no file matches"), ((".",), "no videos or images")],
)
def test_no_files_is_an_error(deepfake, words, said):
    assert said in deepfake("predict", *words, check=1).stderr


def test_an_invalid_detector_fails_before_reading_files(deepfake, tmp_path):
    (tmp_path / "broken.onnx").write_bytes(b"no network")
    faults = {
        "broken.onnx": "cannot be loaded",
        "none.onnx": "no such detector",
        FOLDER / "rfb320.onnx": "deepfake export",
    }
    for name, said in faults.items():
        assert said in deepfake("predict", CLIP, "--detector", name, check=1).stderr


def test_tensorflow_is_never_imported(tmp_path):
    code = (
        "import sys; from deepfake_cli.cli import app; app(['predict', sys.argv[1], '--every', '30'], standalone_mode=False); "
        "print({name.partition('.')[0] for name in sys.modules} & {'tensorflow', 'keras', 'torch', 'jax', 'pandas', 'sklearn'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(CLIP)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "set()"


@pytest.mark.slow
def test_memory_is_independent_of_length(tmp_path):
    """Memory for 2,000 frames, 98 MB of pixels, is hardly larger than for 200."""
    import av

    def peak(count: int) -> float:
        path = tmp_path / f"{count}.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "g": "250"})
            stream.width, stream.height, stream.pix_fmt = 128, 128, "yuv420p"
            for number in range(count):
                picture = np.full((128, 128, 3), number % 256, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
        code = (
            "import resource, sys; from deepfake_cli import Detector; verdict = Detector.load().predict(sys.argv[1]); "
            "print(verdict.frames, verdict.reason); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=200, check=True
        )
        said, megabytes = done.stdout.splitlines()
        assert said == f"{count} no face in any of {count:,} frames"
        return float(megabytes)

    assert peak(2_000) < peak(200) + 30


def test_library_and_command_agree(deepfake):
    (told,) = json.loads(deepfake("predict", CLIP, "--every", 10, "--json").stdout)["verdicts"]
    verdict = Detector.load().predict(CLIP, every=10)
    facts = verdict.facts()
    for each in (facts, told):
        each["seconds"] = each["record"]["began"] = each["record"]["ended"] = 0
        each["record"]["settings"]["max_seconds"] = 0  # the library has no limit
        each["record"]["libraries"] = 0  # those that a process has loaded
    assert facts == told


def test_the_example_in_the_docstring_runs():
    import doctest

    from deepfake_cli.inference import detector

    found = doctest.testmod(detector)
    assert found.attempted >= 4 and not found.failed


@pytest.mark.parametrize("pool", POOLS)
def test_the_interval_widens_with_correlation_and_contains_the_value(pool):
    random = np.random.default_rng(0)
    apart = random.uniform(0, 1, 400)
    together = np.repeat(random.uniform(0, 1, 20), 20)
    for scores in (apart, together):
        low, high = interval(scores, pool)
        assert 0 <= low <= pooled(scores, pool) <= high <= 1
    narrow, wide = (np.ptp(interval(scores, pool)) for scores in (apart, together))
    assert wide > (1 if pool == "top" else 2) * narrow  # the highest tenth of either is near 1
    assert interval(np.full(50, 0.3), pool) == pytest.approx((0.3, 0.3)) and interval(apart[:9], pool) is None


def test_a_folder_gives_each_file_a_verdict_or_a_line(deepfake, tmp_path, photo):
    """Formats read by name are read in folders too, through links once; the rest is listed."""
    (tmp_path / "set" / "sub").mkdir(parents=True)
    data = cv2.imencode(".jpg", photo)[1].tobytes()
    named = {f"a.{suffix}" for suffix in ("gif", "avif", "jfif", "HEIC", "jp2", "jpe", "webp")}
    for name in named:
        (tmp_path / "set" / name).write_bytes(data)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "b.jpg").write_bytes(data)
    for link, to in (("linked", tmp_path / "elsewhere"), ("twice", tmp_path / "elsewhere"), ("loop", tmp_path / "set")):
        (tmp_path / "set" / "sub" / link).symlink_to(to, target_is_directory=True)
    (tmp_path / "set" / "gone.jpg").symlink_to("nowhere.jpg")
    for name in ("notes.txt", "sub/clip.xyz", ".DS_Store"):
        (tmp_path / "set" / name).write_text("x")
    done = deepfake("predict", "set", "--json")
    found = json.loads(done.stdout)
    assert sorted(Path(each["path"]).name for each in found["verdicts"]) == sorted(named | {"b.jpg", "gone.jpg"})
    judged = {Path(each["path"]).name: each["score"] for each in found["verdicts"]}
    assert all((score is None) == (name == "gone.jpg") for name, score in judged.items()), judged
    assert [Path(path).name for path in found["skipped"]] == ["notes.txt", "clip.xyz"]
    assert "Skipped 2 files that are not named as videos or images: notes.txt, clip.xyz" in done.stderr


def test_files_that_do_not_exist_are_an_error(deepfake, tmp_path):
    (tmp_path / "gone.mp4").symlink_to("nowhere.mp4")
    for names, said in (
        (["nosuch.mp4"], "nosuch.mp4: no such file."),
        (["gone.mp4", "x.jpg"], "1 other files are missing too"),
    ):
        done = deepfake("predict", *names, "--json", check=1)
        assert said in done.stderr and not done.stdout


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_pipes_are_undecided_and_do_not_block(deepfake, tmp_path):
    for name in ("x.jpg", "y.mp4"):
        os.mkfifo(tmp_path / name)
    lines = deepfake("predict", "x.jpg", "y.mp4", "--csv", "out.csv").stdout
    assert lines.count("not a regular file") == 2

"""The record that every verdict carries: in JSON, CSV, page and film; hashes before and after; a file is only read."""

import csv
import hashlib
import json
import os
import re
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from deepfake_cli import Detector
from deepfake_cli.assets import CLIPS, FACE_DETECTOR, FACE_MESH, FOLDER, STARTER
from deepfake_cli.commands.predict import predict
from deepfake_cli.config import Predict
from deepfake_cli.inference.recording import CHANGED
from deepfake_cli.media.video import FrameSource

CLIP = FOLDER / CLIPS[0][0]
SHA256 = hashlib.sha256(CLIP.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load()


def test_json_csv_page_and_film_carry_the_record(tmp_path):
    names = {"csv": tmp_path / "a.csv", "report": tmp_path / "a.html", "explain": tmp_path / "why"}
    (verdict,) = predict(Predict(paths=[CLIP], every=25, **names))
    record = json.loads(json.dumps(verdict.to_dict()))["record"]
    with names["csv"].open(newline="") as file:
        (row,) = csv.DictReader(file)
    with av.open(str(names["explain"] / "man_a-explained.mp4")) as film:
        told = json.loads(film.metadata["comment"])
    assert json.loads(row["record"]) == told["record"] == record
    assert row["sha256"] == row["sha256_after"] == record["file"]["sha256"] == SHA256
    assert row["detector_sha256"] == hashlib.sha256(STARTER.read_bytes()).hexdigest()
    assert (row["codec"], row["credentials"]) == ("h264 High", "none")
    assert told["score"] == round(verdict.score, 4)
    page = names["report"].read_text()
    assert all(
        each in page for each in (SHA256, record["began"], record["detector"]["sha256"], record["machine"]["name"])
    )


def test_the_record_says_how_long_and_with_what(detector):
    record = detector.predict(CLIP, every=25, max_seconds=50).record
    assert record.settings["every"] == 25 and record.settings["max_seconds"] == 50
    networks = (record.detector.face_detector_sha256, record.detector.landmarks_sha256)
    assert networks == tuple(hashlib.sha256(file.read_bytes()).hexdigest() for file in (FACE_DETECTOR, FACE_MESH))
    assert record.settings["threshold"] == detector.threshold and record.settings["pool"] == detector.traits.pool
    assert datetime.fromisoformat(record.began) <= datetime.fromisoformat(record.ended)
    assert datetime.fromisoformat(record.ended).utcoffset().total_seconds() == 0
    assert {"av", "numpy", "opencv", "onnxruntime", "ffmpeg libavcodec"} <= record.libraries.keys()
    hidden = record.model_copy(update={"settings": record.settings | {"trust": "/home/ann/list.pem"}}).anonymous()
    assert hidden.machine.name == "" and record.machine.name and hidden.settings["trust"] == "list.pem"


def test_frames_left_out_are_counted_with_their_reason(detector, tmp_path):
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25, (400, 300))
    for index, (_, image) in zip(range(6), FrameSource(CLIP).frames(), strict=False):
        writer.write(image if index < 4 else np.zeros_like(image))
    writer.release()
    record = detector.predict(path).record
    assert record.frames.read == 6 and record.frames.judged + sum(record.frames.left_out.values()) >= 6
    assert record.frames.left_out["no face"] == 2
    assert 100 < record.face_sizes.smallest <= record.face_sizes.median <= record.face_sizes.largest < 300
    assert record.header.format == "avi" and record.header.key_frames.longest == 1


def test_a_file_that_changes_while_it_is_judged_is_undecided(detector, tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(CLIP.read_bytes())

    def grow(done: int, total: int) -> None:
        with path.open("ab") as file:
            file.write(b"x")

    verdict = detector.judge(path, every=25, progress=grow)
    assert (verdict.label, verdict.reason) == ("undecided", CHANGED)
    assert verdict.record.file.sha256 == SHA256 != verdict.record.file.sha256_after


@pytest.mark.skipif(not Path("/proc/self/fdinfo").exists(), reason="the system does not tell how files are open")
def test_a_file_is_only_read(detector, tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(CLIP.read_bytes())
    os.utime(path, (1, 1))
    flags = []

    def look(done: int, total: int) -> None:
        for link in Path("/proc/self/fd").iterdir():
            with suppress(OSError):
                if link.resolve() == path:
                    text = Path("/proc/self/fdinfo", link.name).read_text()
                    flags.append(int(re.search(r"flags:\s*(\d+)", text)[1], 8) & (os.O_WRONLY | os.O_RDWR))

    assert detector.judge(path, progress=look).label == "real"
    assert flags and set(flags) == {0}, "the decoder, too, opens it for reading"
    assert path.stat().st_mtime == 1 and path.read_bytes() == CLIP.read_bytes() and [*tmp_path.iterdir()] == [path]


def test_a_folder_has_the_hash_of_the_list_of_its_images(detector, tmp_path):
    images = [image for _, image in zip(range(3), FrameSource(CLIP).frames(), strict=False)]
    lines = []
    for index, image in images:
        (tmp_path / f"{index:03d}.png").write_bytes(cv2.imencode(".png", image)[1].tobytes())
        lines.append(f"{hashlib.sha256((tmp_path / f'{index:03d}.png').read_bytes()).hexdigest()}  {index:03d}.png\n")
    record = detector.predict(tmp_path).record
    assert record.file.sha256 == record.file.sha256_after == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert record.header.images == 3 and record.header.format == "png" and record.provenance is None


def test_what_is_in_no_file_has_no_hash(detector):
    record = detector.predict(np.zeros((64, 64, 3), np.uint8)).record
    assert record.file.sha256 is None and record.header is None and record.provenance is None


def test_a_header_is_told_in_full(tmp_path, detector):
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        container.metadata["encoder"], container.metadata["title"] = "a tool", "x" * 9000
        stream = container.add_stream("libx264", rate=10, options={"g": "4", "bf": "0", "x264-params": "scenecut=0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        for number in range(10):
            picture = np.full((48, 64, 3), 20 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        silence.sample_rate = 8000
        container.mux(sound.encode(silence))
    header = detector.predict(path).record.header
    assert header.key_frames.model_dump() == {"count": 3, "shortest": 4, "median": 4, "longest": 4}
    assert [(each.kind, each.codec, each.judged) for each in header.streams] == [
        ("video", "h264", True),
        ("audio", "pcm_s16le", False),
    ]
    assert header.encoder_settings.startswith("x264 - core") and "keyint=4" in header.encoder_settings
    assert header.tags["title"].endswith("x… (of 9,000 characters)") and len(header.tags["title"]) < 450

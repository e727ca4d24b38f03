"""A published checkpoint through the commands: import, judge, evaluate, compare, calibrate; and what its licence forbids."""

import os
import urllib.error
import urllib.request

import cv2
import numpy as np
import pandas as pd
import pytest

from deepfake_cli import Detector
from deepfake_cli.assets import CLIPS, FOLDER, STARTER
from deepfake_cli.commands.export import export
from deepfake_cli.config import Export
from deepfake_cli.data import manifest
from deepfake_cli.errors import ConfigError, StorageError
from deepfake_cli.models.checkpoints import download as downloads
from tests.models.test_checkpoints import checkpoint  # noqa: F401
from tests.models.test_two_classes import DESCRIPTION

FEW = ("--resamples", 9, "--no-report")


@pytest.fixture(scope="module")
def crops(tmp_path_factory, people) -> tuple:
    """A list of crops of ten groups, each with a real and a fake, and its folder."""
    folder, rows = tmp_path_factory.mktemp("crops"), []
    for number, image in enumerate([image for frames in list(people.values())[:2] for image in frames[:10]]):
        path = folder / f"{number}.png"
        cv2.imwrite(str(path), image)
        row = {"path": str(path), "dataset": "d", "group": f"g{number % 10}", "video": f"v{number}", "frame": 0}
        rows.append(row | {"label": ("real", "fake")[number // 10], "method": "", "quality": "", "split": "val"})
    manifest.write(folder / "list.csv", list(rows[0]), rows)
    return folder / "list.csv", folder


@pytest.fixture(scope="module")
def imported(checkpoint, tmp_path_factory):  # noqa: F811
    """Two detectors, by name: one described by the user, which forbids commercial use, and GenD."""
    folder = tmp_path_factory.mktemp("imported")
    (folder / "ours.toml").write_text(DESCRIPTION)
    families = {"ours": ("two-classes-small", str(folder / "ours.toml")), "gend": ("gend-small", "gend")}
    for name, (case, family) in families.items():
        export(Export(snapshot=checkpoint(case), family=family, output=folder / f"{name}.onnx"))
    return folder


@pytest.mark.slow
def test_every_report_says_that_commercial_use_is_forbidden(deepfake, json_of, imported, crops, tmp_path):
    lists, _ = crops
    said = "forbids commercial use"
    clip = FOLDER / CLIPS[0][0]
    words = ("predict", clip, "--max-frames", 2, "--detector")
    found = deepfake(*words, imported / "ours.onnx", "--report", "why.html")
    page = (tmp_path / "why.html").read_text()
    assert said in " ".join(found.stderr.split()) and said in page
    assert "Detector: Ours (resnet), trained on our videos; " in page
    assert said not in deepfake(*words, imported / "gend.onnx").stderr
    assert Detector.load(imported / "gend.onnx").traits.resize == "bicubic"
    for name in ("ours", "gend"):
        metrics = json_of("evaluate", lists, imported / f"{name}.onnx", *FEW[:2], "--output", name)
        assert any(said in note for note in metrics["notes"]) == (name == "ours")
        assert any("Trained on: " in note for note in metrics["notes"])
        assert (said in (tmp_path / name / "report.html").read_text()) == (name == "ours")
        assert "data:image/jpeg" in (tmp_path / name / "report.html").read_text()  # with heat maps
    found = json_of("compare", "ours/predictions.csv", "gend/predictions.csv", "--resamples", 9)
    assert sum(said in note for note in found["notes"]) == 1
    rows = [f"{name}={imported / name}.onnx" for name in ("ours", "gend")]
    found = deepfake("matrix", *(word for row in rows for word in ("--snapshots", row)), "--test", lists, *FEW[:2])
    assert said in " ".join(found.stderr.split())


@pytest.mark.slow
def test_models_lists_the_starter_and_the_detectors_of_a_folder(deepfake, json_of, imported):
    """With licence and error rates; a file that is no detector is named, and the others are listed."""
    (imported / "broken.onnx").write_bytes(b"none")
    found = json_of("models", imported)
    cards = {row["name"]: row["card"] for row in found["detectors"]}
    assert list(cards) == ["starter", str(imported / "gend.onnx"), str(imported / "ours.onnx")]
    assert cards[str(imported / "ours.onnx")]["licence"] == "of the house"
    assert list(found["faults"]) == [str(imported / "broken.onnx")]
    shown = deepfake("models", imported)
    text = " ".join(shown.stdout.split())
    assert "forbids commercial use: of the house" in text and "of real clips" in text and "resnet50" in text
    assert shown.stderr.count("broken.onnx") >= 1 and "Traceback" not in shown.stderr
    assert "no such file" in deepfake("models", "none", check=1).stderr


@pytest.mark.slow
def test_an_imported_detector_is_calibrated_in_its_file(deepfake, json_of, imported, crops, tmp_path):
    """And its robustness is measured, without a snapshot."""
    lists, _ = crops
    detector = tmp_path / "d.onnx"
    detector.write_bytes((imported / "gend.onnx").read_bytes())
    before = Detector.load(detector)
    rows = json_of("evaluate", lists, "d.onnx", *FEW, "--robustness-changes", "blur", "--output", "e")["robustness"]
    assert [row["strength"] for row in rows] == [0, 1, 2, 3, 4, 5]
    scored = pd.read_csv(tmp_path / "e" / "predictions.csv")
    higher = scored["path"][scored["score"] > scored["score"].median()]
    listed = pd.read_csv(lists)
    listed.assign(label=np.where(listed["path"].isin(higher), "fake", "real")).to_csv(tmp_path / "own.csv", index=False)
    deepfake("calibrate", "own.csv", "d.onnx", "--method", "isotonic")
    after = Detector.load(detector)
    images = np.random.default_rng(0).integers(0, 256, (2, 56, 56, 3), np.uint8)
    assert after.traits.calibration and after.traits.card == before.traits.card
    np.testing.assert_array_equal(after.network.scores(images), before.network.scores(images))
    assert "calibrated already" in deepfake("calibrate", "own.csv", "d.onnx", check=1).stderr


def test_a_download_needs_consent_and_the_known_file(tmp_path, monkeypatch):
    path = tmp_path / "Meso4_DF.h5"
    asked = []

    def no(terms: str) -> bool:
        asked.append(terms)
        return False

    with pytest.raises(ConfigError, match="without consent"):
        downloads.download(path, "mesonet", no)
    assert "Apache-2.0" in asked[0] and downloads.PUBLISHED["mesonet"]["Meso4_DF.h5"].url in asked[0]
    with pytest.raises(ConfigError, match="no address"):
        downloads.download(tmp_path / "FFraw.tar", "sbi", no)
    other = tmp_path / "other.h5"
    other.write_bytes(b"another")
    opened = urllib.request.urlopen
    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: opened(other.as_uri(), timeout=timeout))
    with pytest.raises(StorageError, match="another file"):
        downloads.download(path, "mesonet", lambda terms: True)

    def failing(url: str, timeout: float) -> None:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", failing)
    with pytest.raises(StorageError, match=r"no network.*browser"):
        downloads.download(path, "mesonet", lambda terms: True)
    assert [each.name for each in tmp_path.iterdir()] == ["other.h5"]


def test_options_of_an_import_are_checked(deepfake):
    for words, said in (
        (("export", "a.pth", "--from", "sbj"), "Did you mean sbi?"),
        (("export", "--from", "sbi"), "name the checkpoint"),
        (("export", "a.pth", "--from", "sbi", "--model", "resnet50"), "leave out --model"),
        (("export", "a.pth", "--from", "sbi"), "no such file"),
        (("export", "a.keras", "--download"), "--from"),
        (("export", "Meso4_DF.h5", "--from", "mesonet", "--download"), "without consent"),
    ):
        assert said in " ".join(deepfake(*words, check=1).stderr.split()), words


def test_models_names_what_is_no_detector(deepfake, json_of, tmp_path):
    """A pipe, a folder, a broken link, another file: named with the reason, and an error if nothing else is there."""
    os.mkfifo(tmp_path / "pipe.onnx")
    (tmp_path / "folder.onnx").mkdir()
    (tmp_path / "link.onnx").symlink_to("nowhere")
    (tmp_path / "b[red]\x1b[2J.ONNX").write_bytes(b"no")
    done = deepfake("models", check=1)
    assert all(f"{name}.onnx: " in done.stderr for name in ("pipe", "folder", "link"))
    assert r"b[red]\x1b[2J.ONNX cannot be loaded" in done.stderr and "\x1b[2J" not in done.stdout + done.stderr
    assert done.stderr.rstrip().endswith("Error: None of 4 files can be loaded as a detector.")
    (tmp_path / "c.onnx").write_bytes(STARTER.read_bytes())
    found = json_of("models")
    assert [each["name"] for each in found["detectors"]] == ["starter", "c.onnx"] and len(found["faults"]) == 4

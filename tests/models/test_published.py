"""A published checkpoint through the commands: import, judge, evaluate, compare, calibrate; and what its licence forbids."""

import json
import os
import urllib.error
import urllib.request
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from deepfake_cli import Detector
from deepfake_cli.assets import CLIPS, FOLDER, STARTER
from deepfake_cli.commands.export import export
from deepfake_cli.config import Export
from deepfake_cli.data import manifest
from deepfake_cli.errors import ConfigError, ModelError, StorageError
from deepfake_cli.models.checkpoints import download as downloads
from deepfake_cli.models.checkpoints import read_checkpoint
from tests.models.reference.numbers import state
from tests.models.test_checkpoints import CASES, TOLERANCE, checkpoint, scores  # noqa: F401

DESCRIPTION = """
image_size = 64
mean = [0.485, 0.456, 0.406]
deviation = [0.229, 0.224, 0.225]
fake = 0
name = "Ours"
licence = "of the house"
commercial = false
trained_on = "our videos"
"""
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


def test_every_report_says_that_commercial_use_is_forbidden(deepfake, json_of, imported, crops, tmp_path):
    lists, _ = crops
    said = "forbids commercial use"
    clip = FOLDER / CLIPS[0][0]
    words = ("predict", clip, "--max-frames", 2, "--detector")
    found = deepfake(*words, imported / "ours.onnx", "--report", "why.html")
    assert said in " ".join(found.stderr.split()) and said in (tmp_path / "why.html").read_text()
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


DESCRIBED = [name for name, case in CASES.items() if case["family"] == "described"]


def describe(path: Path, name: str, **changes: object) -> str:
    """Write the description of a case; returns it as the name of a family."""
    told = {"fake": 1, "name": "Ours", "licence": "MIT", "commercial": True, "trained_on": "ours"}
    values = told | {key: value for key, value in CASES[name]["toml"].items() if value} | changes
    path.write_text("\n".join(f"{key} = {json.dumps(value)}" for key, value in values.items()))
    return str(path)


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_described_state_dictionary_scores_as_in_pytorch(tmp_path, checkpoint, name):  # noqa: F811
    """Models of timm, torchvision, efficientnet_pytorch and clip: two classes or one logit, no name where tensors tell it."""
    case, padding = CASES[name], {"padding_size": 380} if name == "efficientnet_pytorch" else {}
    assert np.ptp(case["scores"]) > 20 * TOLERANCE, "the scores tell the images apart"
    model, _ = read_checkpoint(checkpoint(name), describe(tmp_path / "d.toml", name, **padding))
    np.testing.assert_allclose(scores(model, case["side"]), case["scores"], atol=TOLERANCE)


@pytest.mark.parametrize("name", ["two-classes-small", "openai-clip"])  # two classes, one logit
def test_the_other_class_is_fake(tmp_path, checkpoint, name):  # noqa: F811
    case = CASES[name]
    model, _ = read_checkpoint(checkpoint(name), describe(tmp_path / "d.toml", name, fake=0))
    np.testing.assert_allclose(scores(model, case["side"]), 1 - np.array(case["scores"]), atol=TOLERANCE)


def test_the_name_tells_what_the_tensors_do_not(tmp_path, checkpoint):  # noqa: F811
    """It is asked for where weights fit two models that score otherwise, and has to fit the tensors."""
    for name, other, said in (
        ("timm-tf_efficientnet_lite0", "efficientnet_lite0", "tf_efficientnet_b4_ns"),
        ("timm-clip", "vit_base_patch16_clip_quickgelu_224", "vit_base_patch16_clip_224"),
    ):
        model, _ = read_checkpoint(path := checkpoint(name), describe(tmp_path / "d.toml", name, architecture=other))
        assert np.abs(scores(model, CASES[name]["side"]) - CASES[name]["scores"]).max() > 2 * TOLERANCE
        for wrong in ("", "mnasnet_100"):
            with pytest.raises(ConfigError, match=rf"d\.toml: architecture.*{said}"):
                read_checkpoint(path, describe(tmp_path / "d.toml", name, architecture=wrong))
    with pytest.raises(ConfigError, match=r"resnet50.*vit_clip of timm"):
        read_checkpoint(path, describe(tmp_path / "d.toml", name, architecture="resnet50"))
    with pytest.raises(ConfigError, match="positions of 64 px"):
        read_checkpoint(path, describe(tmp_path / "d.toml", name, image_size=80))


def test_the_parts_of_a_state_dictionary_are_found(tmp_path, checkpoint):  # noqa: F811
    """Below any prefix, with a head of any name; none, two networks or another head are refused."""
    name = "timm-resnet18"
    family, tensors = describe(tmp_path / "d.toml", name), state(CASES[name]["shapes"], CASES[name]["gain"])
    for rename in (lambda each: f"module.model.{each}", lambda each: each.replace("fc.", "classifier.1.")):
        save_file({rename(each): values for each, values in tensors.items()}, tmp_path / "d.safetensors")
        model, _ = read_checkpoint(tmp_path / "d.safetensors", family)
        np.testing.assert_allclose(scores(model, 64), CASES[name]["scores"], atol=TOLERANCE)
    twice = {f"{prefix}.{each}": values for prefix in ("student", "teacher") for each, values in tensors.items()}
    for found, said in (
        (twice, r"2 networks: resnet of torchvision or timm at student\., .*teacher\."),
        ({"a": np.zeros(3)}, r"no known architecture.*such as a\. Known: resnet"),
        (tensors | {"aux.weight": np.zeros((2, 8))}, "expected one layer after the features.*aux.weight.*fc.weight"),
        (tensors | {"fc.weight": np.zeros((1000, 32))}, r"fc\.weight has the shape \(1000, 32\).*two classes"),
    ):
        save_file(found, tmp_path / "d.safetensors")
        with pytest.raises(ModelError, match=said):
            read_checkpoint(tmp_path / "d.safetensors", family)


def test_a_description_is_checked(tmp_path, checkpoint):  # noqa: F811
    for text, said in (
        ("architecture = 3" + DESCRIPTION, "architecture"),
        ("no toml", r"cannot be read as \.toml"),
        (DESCRIPTION + "more = 1", "more"),
        (DESCRIPTION.replace('licence = "of the house"', ""), "licence: missing"),
        (DESCRIPTION.replace("0.229", "0"), "deviation.0: found 0"),
        (DESCRIPTION.replace("0.485", "nan"), "mean.0: found nan"),
        (f"a = {'[' * 5000}{']' * 5000}", "nested too deep"),
        (f"image_size = {'9' * 5000}", "thousands of digits"),
    ):
        (tmp_path / "d.toml").write_text(text)
        with pytest.raises(ConfigError, match=said):
            export(
                Export(snapshot=checkpoint("gend-small"), family=str(tmp_path / "d.toml"), output=tmp_path / "d.onnx")
            )
    with pytest.raises(ConfigError, match=r"none\.toml"):
        export(
            Export(snapshot=checkpoint("gend-small"), family=str(tmp_path / "none.toml"), output=tmp_path / "d.onnx")
        )
    assert not list(tmp_path.glob("*.onnx"))


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

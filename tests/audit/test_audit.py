"""Laws of ``deepfake audit``: it counts what is there, measures what was written, and warns of what was planted."""

import csv
import json
import os
import warnings

import cv2
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from deepfake_cli.audit.baseline import alone
from deepfake_cli.audit.counts import sample
from deepfake_cli.audit.measure import _measure as measured
from deepfake_cli.audit.measure import measure, sharpness
from deepfake_cli.audit.plots import ranking
from deepfake_cli.commands.audit import audit
from deepfake_cli.config import Audit
from deepfake_cli.data import manifest
from deepfake_cli.errors import ManifestError
from deepfake_cli.media.video import FrameSource
from deepfake_cli.storage.hashes import sha256

DRAWN = ("test_audit_counts_measures_and_draws",)  # tests of pictures and pages
GROUPS, EACH = 20, 5  # of a planted set: groups, and images of each of their two videos


@pytest.fixture(autouse=True)
def undrawn(request, monkeypatch):
    """Draw in few tests only: it takes three quarters of the time of a small audit."""
    if request.node.name not in DRAWN:
        monkeypatch.setattr("deepfake_cli.audit.plots.overview", lambda path, *_: path.write_bytes(b""))
        monkeypatch.setattr("deepfake_cli.audit.page.page", lambda *_: "")


def encoded(image, quality: int = 95) -> bytes:
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def write_list(path, rows) -> None:
    """Rows of path, label, video and group, as a list."""
    manifest.write(
        path, manifest.LIST_COLUMNS, (dict(zip(("path", "label", "video", "group"), row, strict=True)) for row in rows)
    )


def build(folder, people, write) -> None:
    """A set of random crops in which reals and fakes differ by nothing but what `write(crop, label, rng)` plants."""
    rng = np.random.default_rng(0)
    frames = [image for images in people.values() for image in images]
    rows = []
    for group in range(GROUPS):
        for label in ("real", "fake"):
            for number in range(EACH):
                image = frames[rng.integers(len(frames))]
                top, left = (int(rng.integers(side - 120)) for side in image.shape[:2])
                path = folder / label / f"{group}" / f"{number}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(write(image[top : top + 120, left : left + 120], label, rng))
                rows.append((path, label, f"{label}/{group}", group))
    write_list(folder / "all.csv", rows)


def run(folder, *lists, **options) -> dict:
    return audit(Audit(csv=list(lists), output=folder / "audit", **options)).audit


@pytest.fixture
def few(tmp_path, people):
    """Write images as they are given, and list them: ``few({"a.png": (bytes, label, group)})``."""

    def make(files: dict) -> dict:
        rows = []
        for name, (data, label, group) in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if data is not None:
                path.write_bytes(data)
            rows.append((path, label, f"{label}{group}", group))
        write_list(tmp_path / "few.csv", rows)
        found = run(tmp_path, tmp_path / "few.csv")
        assert json.loads((tmp_path / "audit" / "audit.json").read_text()) == found, "plain JSON, nothing lost"
        assert "NaN" not in (tmp_path / "audit" / "audit.json").read_text()
        return found

    return make


def is_a_picture(path) -> bool:
    image = cv2.imread(str(path))
    return (
        image is not None and min(image.shape[:2]) > 100 and len(set(map(bytes, image[::4, ::4].reshape(-1, 3)))) > 50
    )


@pytest.mark.parametrize("quality", [50, 75, 95])
def test_jpeg_quality_equals_the_setting(people, quality):
    image = next(iter(people.values()))[0]
    for each in (image, cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)):
        found = measure(encoded(each, quality))
        assert abs(found["jpeg_quality"] - quality) <= 1
        assert found["format"] == "jpeg"


def test_properties_of_an_image_file(people):
    image = next(iter(people.values()))[0]
    data = cv2.imencode(".png", image)[1].tobytes()
    found = measure(data)
    assert (found["width"], found["height"]) == image.shape[1::-1]
    assert (found["format"], found["file_size"]) == ("png", len(data) / 1000)
    assert np.isnan(found["jpeg_quality"])
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    assert found["brightness"] == pytest.approx(grey.mean(), abs=1)
    assert found["contrast"] == pytest.approx(grey.std(), abs=1)
    for bad in (b"", b"no image", data[:200]):
        with pytest.raises(ValueError):
            measure(bad)


def test_sharpness_depends_on_blur_not_size(people):
    grey = cv2.cvtColor(next(iter(people.values()))[0], cv2.COLOR_BGR2GRAY)
    assert sharpness(cv2.GaussianBlur(grey, (9, 9), 0)) < 0.5 * sharpness(grey)
    doubled = cv2.resize(grey, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    assert sharpness(doubled) == pytest.approx(sharpness(grey), rel=0.4)
    assert sharpness(np.full((40, 40), 7, np.uint8)) == 0


def test_source_properties_equal_the_video(timit, people, tmp_path):
    fakes, reals = timit
    height, width = next(iter(people.values()))[0].shape[:2]
    assert FrameSource(fakes / "higher_quality" / "fadg0" / "sa1-video-fram1.avi").facts == ("mjpeg", 25, width, height)
    folder = reals / "fadg0" / "video" / "sa1"
    assert FrameSource(folder).facts == ("jpeg", 0, width, height), "of images without a suffix"
    assert FrameSource(folder).facts.cells() == {"codec": "jpeg", "fps": "", "width": str(width), "height": str(height)}
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    assert FrameSource(tmp_path / "bad.jpg").facts.cells() == dict.fromkeys(manifest.SOURCE_COLUMNS, "")


def test_split_records_codec_and_size_of_each_source(frames_of_uadfv, uadfv):
    rows = list(csv.DictReader((frames_of_uadfv / "manifest.csv").open()))
    for row in rows:
        assert {name: row[name] for name in manifest.SOURCE_COLUMNS} == FrameSource(
            uadfv / f"{row['video']}.mp4"
        ).facts.cells()
    assert {(row["codec"], row["fps"]) for row in rows} == {("mpeg4", "25")}


def test_audit_counts_measures_and_draws(json_of, deepfake, frames_of_uadfv, tmp_path):
    deepfake("make-csv", "uadfv", "--imgdir", frames_of_uadfv)
    found = json_of("audit", "--sample", 60)
    names = {"train": "train/train.csv", "validation": "val/validation.csv"}
    tables = pd.concat(
        pd.read_csv(tmp_path / "csv" / file, dtype=str).assign(part=part) for part, file in names.items()
    )
    for row in found["counts"]["parts"]:
        rows = tables[(tables["part"] == row["part"]) & (tables["label"] == row["class"])]
        assert row["images"] == len(rows)
        assert (row["videos"], row["groups"]) == (rows["video"].nunique(), rows["group"].nunique())
    assert sum(row["images"] for row in found["counts"]["parts"]) == len(tables)
    assert found["counts"]["groups"] == {"all": tables["group"].nunique(), "both": 6, "real_only": 0, "fake_only": 0}
    assert found["sample"]["images"] == 60
    assert found["sources"]["known"] == found["sources"]["videos"] == 12
    assert found["sources"]["properties"]["codec"]["real"]["values"] == {"mpeg4": 6}
    assert found["properties"]["face_size"]["real"]["known"] == 30, "from the manifest above the images"
    assert found["properties"]["jpeg_quality"]["fake"]["median"] == 95
    assert found["properties"]["width"]["same"]
    assert json.loads((tmp_path / "audit" / "audit.json").read_text()) == found
    assert is_a_picture(tmp_path / "audit" / "audit.png")
    assert is_a_picture(tmp_path / "audit" / "faces.png")


@pytest.mark.slow
def test_planted_shortcut_is_warned_about(tmp_path, people, deepfake):
    build(
        tmp_path,
        people,
        lambda image, label, rng: encoded(image, int(rng.integers(*((85, 96) if label == "real" else (60, 80))))),
    )
    done = deepfake("audit", "all.csv", COLUMNS="80")
    assert "Warning: Image properties alone" in done.stderr and "AUC of 1.00" in done.stderr
    assert "JPEG quality 1.00" in done.stderr
    assert "--reencode" in done.stderr, "what to do"
    assert max(len(line) for line in done.stdout.splitlines() if line.startswith("  ")) <= 80, "a table fits"
    assert "<" not in done.stdout
    found = json.loads((tmp_path / "audit" / "audit.json").read_text())
    quality = found["properties"]["jpeg_quality"]
    assert (quality["alone"]["auc"], quality["alone"]["fakes"]) == (1, "lower")
    assert 60 <= quality["fake"]["low"] <= quality["fake"]["high"] < 80
    assert next(iter(found["properties"])) == "jpeg_quality", "the best first"


@pytest.mark.slow
def test_no_warning_without_a_shortcut(tmp_path, people):
    build(tmp_path, people, lambda image, label, rng: encoded(image, int(rng.integers(60, 96))))
    found = run(tmp_path, tmp_path / "all.csv")
    together = found["baselines"]["images"]
    assert together["low"] < 0.5 < together["high"]
    assert together["auc"] == pytest.approx(0.5, abs=0.1)
    assert (together["rows"], together["unit"], together["units"]) == (2 * GROUPS * EACH, "group", GROUPS)
    assert found["warnings"] == []
    again = run(tmp_path, tmp_path / "all.csv", workers=3)
    assert again == found, "the same seed gives the same figures, in however many threads"


@pytest.mark.slow
def test_missing_values_are_no_shortcut(tmp_path, people, frames_of_uadfv):
    """Reals that split cut, fakes that another tool cut: only the reals have a codec and boxes."""
    build(tmp_path, people, lambda image, label, rng: encoded(image))
    fakes = [
        (path, "fake", f"f{path.parent.name}", path.parent.name) for path in sorted(tmp_path.rglob("fake/*/*.jpg"))
    ]
    reals = [
        (path, "real", f"r{path.parent.name}", path.parent.name)
        for path in sorted(frames_of_uadfv.rglob("real/*/*.jpg"))
    ]
    write_list(tmp_path / "mixed.csv", fakes + reals)
    found = run(tmp_path, tmp_path / "mixed.csv")
    assert (found["sources"]["known"], found["sources"]["videos"]) == (6, 26)
    assert found["baselines"]["sources"]["auc"] is None
    assert not {"face_size", "face_share"} & set(found["baselines"]["images"]["properties"])
    assert any("unknown for 20 of 26 source videos" in note for note in found["notes"])


@pytest.mark.slow
def test_one_class_or_three_images(few, people):
    image = next(iter(people.values()))[0]
    found = few({"a.jpg": (encoded(image), "real", 1), "b.jpg": (encoded(image), "real", 2)})
    assert any("All images are real" in note for note in found["notes"])
    assert found["baselines"]["images"]["auc"] is None
    assert found["warnings"] == []
    found = few({f"{n}.jpg": (encoded(image, 60 + n), ("real", "fake")[n % 2], 1) for n in range(3)})
    assert found["counts"]["groups"] == {"all": 1, "both": 1, "real_only": 0, "fake_only": 0}
    assert found["baselines"]["images"] | {"properties": []} == {
        "rows": 3, "unit": "video", "units": 2, "properties": [], "auc": None, "low": None, "high": None, "folds": 0,
        "why": "needs two videos of each class",
    }  # fmt: skip
    assert any("Only one group" in note for note in found["notes"])


@pytest.mark.slow
def test_grey_images_png_and_constant_properties(few, people):
    image = cv2.cvtColor(next(iter(people.values()))[0], cv2.COLOR_BGR2GRAY)
    png, flat = cv2.imencode(".png", image)[1].tobytes(), encoded(np.full((64, 64), 128, np.uint8))
    files = {
        f"{n}{label}.x": ((png, flat)[n % 2], label, f"$x_{n}$ 顔") for n in range(8) for label in ("real", "fake")
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a group's name is no formula, and a font without its letters no news
        found = few(files)
    assert found["properties"]["format"]["real"]["values"] == {"png": 4, "jpeg": 4}
    assert found["properties"]["format"]["alone"]["auc"] == 0.5
    assert found["properties"]["jpeg_quality"]["same"], "of those that have one"
    assert found["baselines"]["images"]["auc"] == pytest.approx(0.5, abs=0.01)


def test_bad_images_are_counted_and_listed(few, people, tmp_path):
    good = encoded(next(iter(people.values()))[0])
    bad = {
        "empty.jpg": (b"", "real", 1),
        "text.jpg": (b"text", "fake", 1),
        "gone.jpg": (None, "fake", 2),
        "cut.jpg": (good[:300], "real", 2),
    }
    found = few({**bad, **{f"{n}.jpg": (good, ("real", "fake")[n % 2], n) for n in range(6)}})
    listed = {item["path"].rpartition("/")[2]: item["reason"] for item in found["sample"]["unreadable"]}
    assert listed.keys() == bad.keys()
    assert (listed["empty.jpg"], listed["gone.jpg"]) == ("empty file", "no such file")
    assert found["sample"]["images"] == 6
    assert any("4 unreadable images" in note for note in found["notes"])
    with pytest.raises(ManifestError, match=r"None of the 2 images can be read. .*gone"):
        few({"gone.jpg": (None, "fake", 1), "gone2.jpg": (None, "real", 1)})


@pytest.mark.slow
def test_shared_groups_and_repeated_images_are_reported(tmp_path, people):
    build(tmp_path, people, lambda image, label, rng: encoded(image, int(rng.integers(60, 96))))
    (tmp_path / "again.csv").write_bytes((tmp_path / "all.csv").read_bytes())
    found = run(tmp_path, tmp_path / "all.csv", tmp_path / "again.csv", sample=20)
    assert [row["part"] for row in found["counts"]["parts"]] == ["all", "all", "again", "again"]
    assert len(found["counts"]["shared_groups"]) == GROUPS
    assert any(f"{GROUPS} groups in more than one list" in warning for warning in found["warnings"])
    assert found["counts"]["repeated_images"] == 2 * GROUPS * EACH
    assert found["sample"]["images"] == 20


def test_sample_is_balanced():
    videos = [(label, f"{label}{video}") for label in (0, 1) for video in range(8)]
    rows = [(f"{video}/{n}", label, "d", video) for label, video in videos for n in range((50, 5)[label])]
    table = pd.DataFrame(rows, columns=["path", "label", "dataset", "video"])
    drawn = sample(table, 48, seed=1)
    assert drawn["video"].value_counts().tolist() == [3] * 16
    assert not drawn["path"].duplicated().any()
    assert drawn.index.is_monotonic_increasing
    assert sample(table, 200, seed=1)["label"].value_counts().to_dict() == {0: 160, 1: 40}, "all of the few"
    assert len(sample(table, 9999, seed=1)) == len(table)


def test_auc_of_one_property_is_that_of_its_ranks():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    label = np.tile([0, 1], 100)
    table = pd.DataFrame({"label": label, "dataset": "d", "video": np.arange(200), "group": np.arange(200) // 4})
    table["value"] = rng.normal(size=200) - label
    table["word"] = np.where(rng.random(200) < 0.5, "a", np.where(label, "b", "c"))
    found = alone(table, "value", seed=0)
    assert found["auc"] == pytest.approx(1 - roc_auc_score(label, table["value"]))
    assert found["low"] < found["auc"] < found["high"]
    assert found["fakes"] == "lower"
    assert 0.6 < alone(table, "word", seed=0)["auc"] < 0.9
    assert alone(table.assign(value=1.0), "value", seed=0)["auc"] == 0.5
    assert alone(table.assign(value=float("nan")), "value", seed=0) is None


def test_the_plot_shows_each_auc_that_it_lists():
    """Of few groups the classifier may be wrong on all: an AUC of 0 was left of the axis."""
    baseline = {"auc": 0.0, "low": None, "high": None}
    axes = Figure().subplots()
    ranking(axes, {"limit": 0.6, "baselines": {"images": baseline}, "properties": {}, "sources": {"properties": {}}})
    (drawn,) = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "D"]
    assert axes.get_xlim()[0] < drawn == 0


@pytest.mark.slow
def test_timit_codecs_are_a_shortcut(json_of, stand_ins, tmp_path):
    """The finding that docs/audit.md shows, on every twelfth frame."""
    places = ("--viddir", stand_ins / "DeepfakeTIMIT", "--realdir", stand_ins / "VidTIMIT")
    json_of("split", "timit", *places, "--max-frames", "3", "--crop", "none", "--workers", "1")
    found = run(tmp_path, tmp_path / "img" / "manifest.csv")
    assert found["sources"]["properties"]["codec"]["real"]["values"] == {"jpeg": 14}
    assert found["sources"]["properties"]["codec"]["fake"]["values"] == {"h264": 28}
    assert found["baselines"]["sources"]["auc"] == 1
    assert found["warnings"][0].startswith("Source properties alone")
    assert any("2 groups" in note for note in found["notes"])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_devices_and_pipes_in_a_list_are_not_opened(tmp_path):
    """They have no end, or block."""
    os.mkfifo(tmp_path / "pipe.jpg")
    for path in ("/dev/zero", str(tmp_path / "pipe.jpg")):
        assert measured(path) == "not a regular file"
        with pytest.raises(OSError, match="not a regular file"):
            sha256(path)

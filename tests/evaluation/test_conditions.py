"""Error rates by condition and likelihood ratios: from whole files to the card of a detector, and what predict says of it."""

import csv
import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest

from deepfake_cli import Detector
from deepfake_cli.assets import CLIPS, FOLDER, STARTER
from deepfake_cli.errors import ManifestError, ModelError
from deepfake_cli.evaluation.conditions import slices
from deepfake_cli.evaluation.whole_files import COLUMNS, labelled
from deepfake_cli.inference.card_columns import card_columns
from deepfake_cli.inference.condition import PROPERTIES, Condition
from deepfake_cli.inference.error_rates import ALL, Errors
from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.inference.support import FAKE, REAL, Support, differences
from deepfake_cli.media.encodings import ENCODINGS
from deepfake_cli.metrics.rates import interval
from deepfake_cli.metrics.verbal_scale import words
from deepfake_cli.runs import card
from tests import processes
from tests.conftest import write_video

CLIP = FOLDER / CLIPS[0][0]


def weights(path) -> dict[str, bytes]:
    return {each.name: each.SerializeToString() for each in onnx.load(path).graph.initializer}


@pytest.fixture(scope="module")
def measured(tmp_path_factory, people):
    """A folder with an evaluation of the starter detector by condition, of three real and three fake videos and a text."""
    import cv2

    root = tmp_path_factory.mktemp("conditions")
    for name, images in people.items():
        write_video(root / "set" / "real" / name / "a.mp4", images)
        write_video(root / "set" / "fake" / name / "a.mp4", [cv2.GaussianBlur(image, (7, 7), 0) for image in images])
    (root / "set" / "real" / "none.mp4").write_text("no video")
    shutil.copy(STARTER, root / "mine.onnx")
    said = processes.run("evaluate", "set", "mine.onnx", "--conditions", "--conditions-frames", 2, cwd=root)
    return root, said


@pytest.mark.slow
def test_whole_files_are_judged_as_predict_does(measured):
    root, _ = measured
    with (root / "evaluation" / "conditions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert set(rows[0]) == set(COLUMNS)
    as_is = [row for row in rows if row["encoding"] == "as it is"]
    assert len(as_is) == 7 and len(rows) == 7 + 6 * len(ENCODINGS)
    first = next(row for row in as_is if row["score"])
    verdict = Detector.load().predict(root / first["path"], max_frames=2)
    assert float(first["score"]) == pytest.approx(verdict.score) and first["verdict"] == verdict.label
    assert {row["codec"] for row in rows if "hevc" in row["encoding"]} == {"hevc"}
    half = [float(row["face_size"]) for row in rows if row["encoding"].endswith("half size")]
    whole = [float(row["face_size"]) for row in rows if row["encoding"] == "h264 crf 23"]
    assert np.divide(half, whole) == pytest.approx(0.5, abs=0.1), "faces are found anew in the encoded video"
    assert all(0 <= float(row["turn"]) < 0.2 for row in as_is if row["score"]), "the people look at the camera"
    sharp = {row["encoding"]: float(row["bits_per_pixel"]) for row in rows if row["score"]}
    assert sharp["h264 crf 23"] > sharp["h264 crf 40"]


@pytest.mark.slow
def test_the_rates_are_printed_and_kept_in_a_copy_with_the_same_weights(measured):
    root, said = measured
    metrics = json.loads((root / "evaluation" / "metrics.json").read_text())
    found = metrics["conditions"]
    assert found["on"] == f"7 files of set, and {len(ENCODINGS)} encodings of videos"
    every = found["slices"][0]
    assert every["where"] == {} and every["real"]["files"] == 4 + 3 * len(ENCODINGS) and every["real"]["groups"] == 4
    assert every["real"]["undecided"]["count"] >= 1, "a file without a face is undecided, not left out"
    assert every["real"]["wrong"]["low"] is None, "no interval below ten groups"
    assert metrics["errors"]["videos"] == 1 and "none.mp4" in said.stdout + said.stderr
    assert "Error rates by condition" in said.stdout and "hevc" in said.stdout
    kept = root / "evaluation" / "mine.onnx"
    assert Detector.load(kept).traits.conditions["slices"] == found["slices"]
    own = replace(Detector.load(kept).traits, measured=None)  # the starter has measured rates of its own
    wrong = round(100 * every["real"]["wrong"]["count"] / every["real"]["files"])
    assert f"Measured on {found['on']}: of real clips {wrong} % were called fake" in own.rates
    assert replace(own, conditions=None).rates == ""
    assert weights(kept) == weights(STARTER)
    assert (root / "mine.onnx").read_bytes() == STARTER.read_bytes(), "the given file is not changed"


@pytest.mark.slow
def test_predict_looks_up_the_condition_of_its_file(measured):
    root, _ = measured
    options = ("--detector", "evaluation/mine.onnx", "--max-frames", 2)
    same = processes.run(
        "predict", "set/real/man_a/a.mp4", *options, "--report", "page.html", "--csv", "a.csv", cwd=root
    ).stdout
    assert "Error rates on files like this" in same and "all of these" in same and "groups" in same
    assert "turn of the head" in same and "below 0.2" in same
    page = (root / "page.html").read_text()
    assert "Error rates on files like this" in page
    assert "Measured on" not in page, "the rates of files like this replace those of all files"
    (row,) = pd.read_csv(root / "a.csv").to_dict("records")
    assert row["reals_measured"] >= 1 and 0 <= row["reals_called_fake"] <= 1
    assert math.isnan(row["reals_called_fake_low"]), "no interval below ten groups"
    assert math.isnan(row["log10_lr"]), "the detector has no likelihood ratios"
    grey = root / "other.png"
    import cv2

    cv2.imwrite(str(grey), next(iter(cv2.VideoCapture(str(CLIP)).read()[1:])))
    other = json.loads(processes.run("predict", grey, *options, "--json", cwd=root).stdout)["verdicts"][0]
    assert other["condition"]["codec"] == "png" and other["error_rates"]["codec"] is None
    assert other["error_rates"]["all_of_these"] is None
    said = processes.run("predict", grey, *options, cwd=root).stdout
    assert "No file like this one in all of these was measured" in said and "not measured: png" in said
    at = json.loads(processes.run("predict", grey, *options, "--threshold", 0.9, "--json", cwd=root).stdout)
    assert at["verdicts"][0]["error_rates"] is None, "at another threshold nothing was measured"


@pytest.mark.slow
def test_several_files_have_their_rates_in_the_report_and_json(measured):
    root, _ = measured
    said = processes.run(
        "predict", "set/real", "--detector", "evaluation/mine.onnx", "--max-frames", 2, cwd=root
    ).stdout
    assert "--report and --json also have: error rates on files like it" in said and "all of these" not in said


@pytest.mark.slow
def test_a_report_of_whole_files_is_written(measured):
    root, said = measured
    page = (root / "evaluation" / "report.html").read_text()
    assert "a.mp4" in page and "report.html" in said.stdout


def test_the_card_of_a_run_is_in_its_recipe_and_its_export(tmp_path):
    from deepfake_cli.metrics.calibration import Calibration
    from deepfake_cli.runs.calibration import save_calibration

    best = tmp_path / "run" / "best.keras"
    best.parent.mkdir()
    best.write_bytes(b"weights")
    shutil.copy(STARTER, best.with_suffix(".onnx"))
    (best.parent / "recipe.json").write_text(json.dumps({"snapshots": {best.name: {"epoch": 1}}}))

    def kept():
        entry = json.loads((best.parent / "recipe.json").read_text())["snapshots"][best.name]
        return entry.get("likelihood_ratio"), Detector.load(best).traits.likelihood_ratio

    written = card.keep(best.with_suffix(".onnx"), tmp_path, tmp_path, likelihood_ratio=RATIOS)
    assert kept() == (RATIOS, RATIOS) and written == [best.parent / "recipe.json", best.with_suffix(".onnx")]
    assert weights(best.with_suffix(".onnx")) == weights(STARTER)
    save_calibration(best, Calibration("temperature", 2.0), None)
    assert kept() == (None, None), "they were of uncalibrated scores"
    with pytest.raises(ModelError, match=r"does not list other\.keras"):
        card.check(best.with_name("other.keras"))


@pytest.mark.slow
def test_few_groups_have_no_likelihood_ratios(measured):
    root, _ = measured
    said = processes.run("calibrate", "evaluation/conditions.csv", "--method", "lr", check=1, cwd=root).stderr
    assert "at least 10 groups of each class; found 3 of real videos" in " ".join(said.split())


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory):
    """A folder with likelihood ratios of the starter detector, from a file of scores."""
    root, rng = tmp_path_factory.mktemp("ratios"), np.random.default_rng(0)
    shutil.copy(STARTER, root / "mine.onnx")
    labels = np.arange(200) % 2
    table = pd.DataFrame({
        "path": [f"{number}.mp4" for number in range(200)], "dataset": "", "video": [str(number) for number in range(200)],
        "group": [f"g{number // 4}" for number in range(200)], "label": labels,
        "score": 1 / (1 + np.exp(-rng.normal(2 * labels - 1, 1))),
        "face_size": rng.uniform(100, 300, 200), "sharpness": 9.0, "light": rng.uniform(60, 180, 200),
        "bits_per_pixel": rng.uniform(0.01, 0.2, 200), "codec": "hevc",
    })  # fmt: skip
    table.to_csv(root / "conditions.csv", index=False)
    said = processes.run("calibrate", "conditions.csv", "mine.onnx", "--method", "lr", "--seed", 1, cwd=root)
    return root, said


@pytest.mark.slow
def test_calibrate_states_the_cost_on_groups_it_was_not_fitted_on(calibrated):
    root, said = calibrated
    found = json.loads((root / "calibration" / "calibration.json").read_text())
    assert found["cllr_min"]["value"] <= found["cllr"]["value"] < 1 and found["folds"] == 10
    assert found["cllr"]["low"] <= found["cllr"]["value"] <= found["cllr"]["high"]
    assert "Cllr" in said.stdout and f"{found['cllr']['value']:.3f}" in said.stdout
    held_out = pd.read_csv(root / "calibration" / "likelihood_ratios.csv")
    fitted = Detector.load(root / "calibration" / "mine.onnx").traits.likelihood_ratio
    low, high = min(fitted["log10"]), max(fitted["log10"])
    assert (held_out["log10_lr"].abs() < np.log10(102)).all() and low < 0 < high < np.log10(102)
    for name in ("tippett.png", "ece.png"):
        assert (root / "calibration" / name).stat().st_size > 10_000
    assert weights(root / "calibration" / "mine.onnx") == weights(STARTER)


@pytest.mark.slow
def test_predict_states_both_hypotheses_the_ratio_and_its_data(calibrated):
    root, _ = calibrated
    options = ("--detector", "calibration/mine.onnx", "--max-frames", 3)
    said = " ".join(
        processes.run("predict", CLIP, *options, "--verbal", "--report", "page.html", cwd=root).stdout.split()
    )
    page = " ".join((root / "page.html").read_text().split())
    for text in (said, page):
        assert "H1: the face is real" in text and "H2: the face is a fake" in text
        assert "times (95 % interval" in text and "ENFSI" in text
        assert "100 fake and 100 real files of 50 groups: conditions.csv" in text
        assert "codec h264, theirs hevc" in text
    assert "prior" not in said and "posterior" not in said
    (verdict,) = json.loads(processes.run("predict", CLIP, *options, "--json", "--csv", "a.csv", cwd=root).stdout)[
        "verdicts"
    ]
    ratio = verdict["likelihood_ratio"]
    (row,) = pd.read_csv(root / "a.csv").to_dict("records")
    for name in ("", "_low", "_high"):
        assert row[f"log10_lr{name}"] == ratio[f"log10{name}"]
    assert ratio["log10"] == pytest.approx(math.log10(ratio["ratio"]), abs=1e-3)
    assert ratio["low"] <= ratio["ratio"] <= ratio["high"] and ratio["supports"] == "real" and ratio["ratio"] < 1
    assert Detector.load(root / "calibration" / "mine.onnx").predict(CLIP, max_frames=3, faces="all").support is None


def test_unsuitable_inputs_of_conditions_are_errors(tmp_path, deepfake):
    (tmp_path / "crops.csv").write_text("path,label,frame\na.jpg,0,0\nb.jpg,1,0\n")
    (tmp_path / "reals.csv").write_text("path,label\na.mp4,0\nb.mp4,0\n")
    with pytest.raises(ManifestError, match="face crops"):
        labelled([tmp_path / "crops.csv"])
    with pytest.raises(ManifestError, match="no fake files"):
        labelled([tmp_path / "reals.csv"])
    assert "needs labelled files" in deepfake("evaluate", "--conditions", check=1).stderr


def test_files_of_a_list_without_groups_are_a_group_each(tmp_path):
    (tmp_path / "files.csv").write_text("path,label,group\na.mp4,0,\nb.mp4,1,\nc.mp4,1,x\nd.mp4,0,x\n")
    groups = [each.group for each in labelled([tmp_path / "files.csv"])]
    assert len(set(groups[:2])) == 2 and groups[2:] == ["x", "x"]


def test_the_interval_of_a_rate_knows_that_files_of_a_group_are_alike():
    alone = np.arange(200) % 4 == 0
    low, high = interval(alone, np.arange(200))
    assert (low, high) == pytest.approx((0.1916, 0.3160), abs=0.001), (
        "Clopper and Pearson's, as binom.test(50, 200) in R"
    )
    alike = np.repeat(alone[:20], 10)
    wide = interval(alike, np.repeat(np.arange(20), 10))
    assert wide[0] < 0.15 and wide[1] > 0.4, "twenty groups, whatever the number of files"
    assert interval(np.zeros(100), np.repeat(np.arange(10), 10)) == pytest.approx((0, 1 - 0.025**0.1)), (
        "ten groups, no error"
    )
    assert interval(np.ones(100), np.repeat(np.arange(10), 10))[1] == 1
    assert interval(alone[:90], np.repeat(np.arange(9), 10)) is None


def rows(**changes):
    plain = {
        "label": 0,
        "dataset": "",
        "group": "g",
        "verdict": "real",
        "face_size": 150.0,
        "sharpness": 9.0,
        "light": 100.0,
    }
    plain |= {"bits_per_pixel": 0.1, "codec": "h264", "turn": 0.1}
    return pd.DataFrame([plain, plain | {"label": 1, "verdict": "fake"} | changes])


def test_each_file_is_in_one_part_of_each_property():
    found = slices(rows(face_size=250.0, codec="av1"))
    for name in PROPERTIES:
        of = [each for each in found if list(each["where"]) == [name]]
        assert sum(each["real"]["files"] + each["fake"]["files"] for each in of) == 2
    joint = [each for each in found if len(each["where"]) > 1]
    assert len(joint) == 2 and all(each["real"]["files"] + each["fake"]["files"] == 1 for each in joint)
    nan = float("nan")
    faceless = slices(rows(face_size=nan, sharpness=nan, light=nan, turn=nan, verdict="undecided"))
    assert faceless[0]["fake"]["undecided"]["count"] == 1
    edge = Condition(200.0, 8.0, 80.0, 0.05, "h264", 0.2)
    assert all(edge.within(edge.part(name)) for name in PROPERTIES)


def test_a_card_without_turn_works():
    condition = Condition(150.0, 9.0, 100.0, 0.1, "h264", 0.3)
    old = slices(rows())
    for each in old:
        each["where"].pop("turn", None)
    old = [each for place, each in enumerate(old) if each["where"] or not place]
    found = Errors.of({"on": "x", "threshold": 0.5, "slices": old}, condition)
    assert found.measured and found.slices[ALL]["real"]["files"] == 1
    assert "turn" not in found.facts() and not any("turn" in line for line in found.lines())
    new = Errors.of({"on": "x", "threshold": 0.5, "slices": slices(rows())}, condition)
    assert "turn of the head not measured: 0.3" in new.lines() and not new.measured


def test_unknown_conditions_are_said():
    condition = Condition(150.0, 9.0, 100.0, None, "")
    found = Errors.of({"on": "x", "threshold": 0.5, "slices": slices(rows())}, condition)
    assert set(card_columns(None, found).values()) == {None}
    assert found.slices[ALL] is None and found.slices["face_size"]["real"]["files"] == 1
    assert "bits per pixel not known" in found.lines() and found.lines()[-1] == found.none
    told = differences({"face_size": [200, 300], "light": [90, 110], "codec": ["h264"]}, condition)
    assert told == [
        "face size 150, theirs 200 to 300 px",
        "sharpness not known",
        "turn of the head not known",
        "bits per pixel not known",
        "codec not known",
    ]
    assert "not known" in differences({}, condition)[0]
    assert differences({"face_size": ["x"], "codec": [1.0, 2.0]}, condition)[0] == "face size not known"


@pytest.mark.parametrize(
    ("ratio", "said"),
    [(1, "no support"), (1.9, "no support"), (2, "weak"), (10, "moderate s"), (100, "moderately strong"), (1e3, "strong"),
     (1e4, "very strong"), (1e6, "extremely strong")],
)  # fmt: skip
def test_words_of_the_scale(ratio, said):
    assert words(np.log10(ratio)).startswith(said)


RATIOS = {
    "method": "logistic", "logits": [-1, 1], "log10": [-1.0, 1.0], "low": [-2.0, 0.0], "high": [0.0, 2.0],
    "data": {"on": "x", "real": 10, "fake": 20, "groups": 12}, "costs": {"cllr": 0.5, "cllr_min": 0.4},
}  # fmt: skip


def test_the_docs_state_the_hypotheses():
    text = " ".join((Path(__file__).parents[2] / "docs" / "forensics.md").read_text().split())
    assert f"fake: {FAKE};" in text and f"real: {REAL}." in text


def test_a_ratio_below_one_is_said_for_the_other_hypothesis():
    low, high = (Support.of(RATIOS, score, None) for score in (0.2, 0.8))
    assert low.times == high.times == pytest.approx((10, 1, 100)) and low.hypotheses == high.hypotheses[::-1]
    assert low.facts()["ratio"] == 0.1 and low.facts()["supports"] == "real"


@pytest.mark.parametrize(
    "change",
    [
        {"likelihood_ratio": RATIOS | {"log10": [50, 60]}},
        {"likelihood_ratio": RATIOS | {"logits": [1, 1]}},
        {"likelihood_ratio": RATIOS | {"low": [0, 5]}},
        {"likelihood_ratio": RATIOS | {"data": {}}},
        {"conditions": {"on": "x", "threshold": 0.5, "slices": [{"where": {"codec": "h264"}}]}},
        {"conditions": {"on": "x" * 1000, "threshold": 0.5, "slices": []}},
        {"conditions": {"on": "x", "threshold": 7, "slices": []}},
    ],
)
def test_a_broken_card_is_an_error(change):
    whole = json.loads(Detector.load().traits.text)
    assert Traits.parse(json.dumps(whole | {"likelihood_ratio": RATIOS}), "x").likelihood_ratio == RATIOS
    with pytest.raises(ModelError, match="x has no valid metadata"):
        Traits.parse(json.dumps(whole | change), "x")

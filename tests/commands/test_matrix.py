"""The matrix through the real command, on two small data sets."""

import json

import cv2
import pandas as pd
import pytest

from tests import processes
from tests.training.test_train import TINY

CONFIG = '[train]\nmodel = "tiny:build"\nimage_size = 32\nbatch_size = 8\nepochs = 1\nsteps = 3\nonnx = false\n'
TWO = ("--train", "u/train/train.csv", "--train", "t/train/train.csv")
TESTS = ("--test", "u/val/validation.csv", "--test", "timit=t/val/validation.csv")


@pytest.fixture(scope="module")
def frames_of_timit(tmp_path_factory, timit):
    fakes, reals = timit
    out = tmp_path_factory.mktemp("timit_frames") / "img"
    places = ("--viddir", fakes, "--realdir", reals, "--imgdir", out, "--size", "96")
    processes.run("split", "timit", *places, cwd=out.parent)
    return out


@pytest.fixture
def lists(tmp_path, deepfake, frames_of_uadfv, frames_of_timit):
    (tmp_path / "tiny.py").write_text(TINY)
    (tmp_path / "tiny.toml").write_text(CONFIG)
    deepfake("make-csv", "uadfv", "--imgdir", frames_of_uadfv, "--ratio", 0.67, "--csvdir", "u")
    deepfake("make-csv", "timit", "--imgdir", frames_of_timit, "--ratio", 0.5, "--csvdir", "t")
    return tmp_path


def cells_of(found: dict) -> dict:
    return {(cell["row"], cell["column"]): cell for cell in found["cells"]}


@pytest.mark.slow
def test_matrix_trains_tests_and_resumes(lists, deepfake, json_of):
    found = json_of("matrix", *TWO, *TESTS, "--train-config", "tiny.toml", "--seeds", 2)
    assert (found["rows"], found["columns"]) == (["uadfv", "timit"], ["uadfv", "timit"])
    cells = cells_of(found)
    assert len(cells) == 4 and len(found["runs"]) == 8
    for (row, column), cell in cells.items():
        runs = [run for run in found["runs"] if (run["row"], run["column"]) == (row, column)]
        values = pd.Series([run["frame"]["auc"]["value"] for run in runs])
        assert cell["frame"]["auc"]["value"] == pytest.approx(values.mean())
        assert cell["frame"]["auc"]["spread"] == pytest.approx(values.std())
        assert [run["seed"] for run in runs] == [0, 1]
        assert cell["seen"] == ("validation" if row == column else None)
    folders = sorted(folder.name for folder in (lists / "runs").iterdir())
    assert len(folders) == 4 and all(name.startswith(("matrix-uadfv-", "matrix-timit-")) for name in folders)
    assert cv2.imread(str(lists / "matrix" / "matrix.png")).std() > 10
    flat = pd.read_csv(lists / "matrix" / "matrix.csv")
    assert flat["video_auc_value"].tolist() == pytest.approx([each["video"]["auc"]["value"] for each in found["cells"]])

    stamps = {path: path.stat().st_mtime_ns for path in (lists / "runs").glob("*/*.keras")}
    again = deepfake("matrix", *TWO, *TESTS, "--train-config", "tiny.toml", "--output", "again").stdout
    assert "epoch" not in again and "‡" in again
    assert {path: path.stat().st_mtime_ns for path in (lists / "runs").glob("*/*.keras")} == stamps
    single = cells_of(json.loads((lists / "again" / "matrix.json").read_text()))["uadfv", "timit"]
    first = next(run for run in found["runs"] if (run["row"], run["column"], run["seed"]) == ("uadfv", "timit", 0))
    assert single["frame"]["auc"] == first["frame"]["auc"] | {"spread": None}

    name = next(name for name in folders if "uadfv" in name)
    mine = ("--snapshots", f"mine={name}", "--snapshots", f"runs/{folders[0]}/best.keras")
    given = cells_of(json_of("matrix", *mine, *TESTS, "--test", "seen=u/train/train.csv", "--output", "given"))
    assert given["mine", "timit"]["frame"]["auc"]["value"] == single["frame"]["auc"]["value"]
    assert given["mine", "seen"]["seen"] == "train"

    deepfake("train", "u/train/train.csv", "--val-annotations", "u/val/validation.csv", "--config", "tiny.toml",
             "--seed", 1, "--run", "alone")  # fmt: skip
    alone, beside = (
        json.loads((lists / "runs" / run / "recipe.json").read_text())
        for run in ("alone", next(name for name in folders if "uadfv" in name and name.endswith("seed1")))
    )
    assert alone["history"] == beside["history"], "trained after others in one process, or alone"


@pytest.mark.slow
def test_a_diverged_run_does_not_stop_the_others(lists, deepfake):
    (lists / "bad.toml").write_text(CONFIG.replace("tiny:build", "tiny:broken"))
    every = deepfake("matrix", *TWO, *TESTS, "--train-config", "bad.toml", check=1).stderr
    assert "All cells" in every and "loss is nan" in every
    deepfake("train", "u/train/train.csv", "--val-annotations", "u/val/validation.csv", "--config", "tiny.toml",
             "--run", "good")  # fmt: skip
    listed = pd.read_csv(lists / "t" / "val" / "validation.csv")
    listed.query("label == 'real'").to_csv(lists / "t" / "val" / "reals.csv", index=False)
    refused = deepfake("matrix", "--snapshots", "good", *TESTS, "--test", "reals=t/val/reals.csv", check=1)
    assert "frames are real" in refused.stderr and not (lists / "matrix").exists()
    (lists / "broken.jpg").write_bytes(b"no image")
    listed.loc[0, "path"] = str(lists / "broken.jpg")
    listed.to_csv(lists / "t" / "val" / "damaged.csv", index=False)
    said = deepfake("matrix", "--snapshots", "good", *TESTS, "--test", "damaged=t/val/damaged.csv")
    assert "good on damaged" in said.stderr and "broken.jpg" in said.stderr.replace("\n", "")
    cells = cells_of(json.loads((lists / "matrix" / "matrix.json").read_text()))
    assert cells["good", "damaged"]["frame"] is None and cells["good", "uadfv"]["frame"]


REFUSED = [
    ((), "--train LIST or --snapshots RUN"),
    (("--train", "nowhere.csv", *TESTS), "no such list"),
    (("--train", "a=u/train/train.csv", "--train", "a=t/train/train.csv", *TESTS), "given twice"),
    (("--train", "u/train/train.csv,t/train/train.csv", *TESTS), "--val"),
    (("--snapshots", "gone", *TESTS), "no run gone"),
    ((*TWO, *TESTS, "--snapshots", "gone"), "cannot be combined"),
    ((*TWO, *TESTS, "--val", "u/val/validation.csv"), "one val per train"),
    ((*TWO, *TESTS, "--train-config", "lists.toml"), "train.seed"),
    ((*TWO, *TESTS, "--config", "lists.toml"), "train.seed"),
]


@pytest.mark.slow
def test_matrix_errors(lists, deepfake):
    (lists / "lists.toml").write_text(f"{CONFIG}seed = 3\n")
    for arguments, words in REFUSED:
        assert words in deepfake("matrix", *arguments, check=1).stderr

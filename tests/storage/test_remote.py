"""A data set in an object store, a real S3 server on this machine, gives the same results as on a disk."""

import importlib.util
import json
import re
import subprocess
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from deepfake_cli.assets import CLIPS, FOLDER, STARTER
from deepfake_cli.errors import StorageError
from deepfake_cli.storage import remote, tar_shards
from deepfake_cli.storage.files import read_bytes, whole, write_text
from tests import processes

from ..conftest import bucket, tree

SMALL = """
import keras
from keras import layers

def build(input_shape, weights):
    inputs = keras.Input(input_shape)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, strides=2)(layers.Rescaling(1 / 255)(inputs)))
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid", name="probability")(x))
"""
TRAIN = ("--model", "small:build", "--image-size", 32, "--batch-size", 8, "--steps", 4, "--epochs", 1, "--no-onnx")

FEW = ("--resamples", 20, "--no-report")


def deepfake(folder: Path, *words, check: int = 0) -> subprocess.CompletedProcess:
    return processes.run(*words, cwd=folder, check=check)


@pytest.fixture(scope="module")
def packed(tmp_path_factory, uadfv) -> Path:
    """A folder with a tar per video in `img`, lists in `csv`, and the same images as files in `plain`."""
    folder = tmp_path_factory.mktemp("packed")
    (folder / "small.py").write_text(SMALL)
    deepfake(folder, "split", "uadfv", "--viddir", uadfv, "--pack")
    deepfake(folder, "split", "uadfv", "--viddir", uadfv, "--imgdir", "plain/img")
    deepfake(folder, "make-csv", "uadfv", "--ratio", 0.67)
    deepfake(folder, "make-csv", "uadfv", "--ratio", 0.67, "--imgdir", "plain/img", "--csvdir", "plain/csv")
    return folder


def test_tar_and_folder_have_the_same_files(packed):
    tars = sorted((packed / "img").rglob("*.tar"))
    assert len(tars) == 12 and not list((packed / "img").rglob("*.jpg"))
    for tar in tars:
        folder = packed / "plain" / tar.relative_to(packed).with_suffix("")
        assert {name for name in tar_shards.names(tar) if name != ".split.json"} == {
            path.name for path in folder.glob("*.jpg")
        }
        for path in folder.glob("*.jpg"):
            assert read_bytes(tar / path.name) == path.read_bytes()
    packed_rows, rows = (pd.read_csv(packed / name / "manifest.csv") for name in ("img", "plain/img"))
    assert (packed_rows["path"].str.replace(".tar/", "/") == rows["path"]).all()
    pd.testing.assert_frame_equal(packed_rows.drop(columns="path"), rows.drop(columns="path"))
    before = tree(packed / "img")
    assert (
        json.loads(deepfake(packed, "split", "uadfv", "--viddir", "x", "--pack", "--json", check=1).stdout or "{}")
        == {}
    )
    assert tree(packed / "img") == before


@pytest.mark.slow
def test_packed_frames_work_like_files(packed, uadfv):
    done = json.loads(deepfake(packed, "split", "uadfv", "--viddir", uadfv, "--pack", "--json").stdout)
    assert done["skipped"] == 12
    deepfake(packed, "make-csv", "--check")
    for name in (".", "plain"):
        lists = (f"{name}/csv/train/train.csv", f"{name}/csv/val/validation.csv")
        deepfake(packed, "audit", *lists, "--output", f"{name}/audit")
        deepfake(packed, "evaluate", lists[1], STARTER, "--output", f"{name}/evaluation", *FEW)
        deepfake(
            packed, "train", lists[0], "--val-annotations", lists[1], *TRAIN, "--runs-dir", f"{name}/runs", "--run", "r"
        )
    audits = [json.loads((packed / name / "audit" / "audit.json").read_text()) for name in (".", "plain")]
    assert audits[0]["properties"] == audits[1]["properties"]
    tables = [pd.read_csv(packed / name / "evaluation" / "predictions.csv") for name in (".", "plain")]
    assert (tables[0]["score"] == tables[1]["score"]).all()
    recipes = [json.loads((packed / name / "runs" / "r" / "recipe.json").read_text()) for name in (".", "plain")]
    assert recipes[0]["history"] == recipes[1]["history"]


def test_a_damaged_tar_is_reported_and_rewritten(packed, uadfv, tmp_path):
    deepfake(tmp_path, "split", "uadfv", "--viddir", uadfv, "--pack")
    deepfake(tmp_path, "make-csv", "uadfv", "--ratio", 0.67)
    tar = sorted((tmp_path / "img").rglob("*.tar"))[0]
    whole_bytes = tar.read_bytes()
    tar.write_bytes(whole_bytes[: len(whole_bytes) // 2])
    lists = ("csv/train/train.csv", "csv/val/validation.csv")
    said = deepfake(tmp_path, "evaluate", *lists, STARTER, check=1).stderr.replace("\n", "")
    assert tar.name in said and "missing" in said
    tar.unlink()
    done = json.loads(deepfake(tmp_path, "split", "uadfv", "--viddir", uadfv, "--pack", "--json").stdout)
    assert done["skipped"] == 11 and tar.read_bytes() == whole_bytes


@pytest.mark.slow
def test_bucket_and_disk_give_the_same_results(s3, packed, uadfv, tmp_path, caplog, monkeypatch):
    (temporary := tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))  # other runs of these tests have copies in the common one
    for path in uadfv.rglob("*.mp4"):
        s3.upload_file(str(path), "media", f"uadfv/{path.relative_to(uadfv)}")
    (tmp_path / "small.py").write_text(SMALL)
    where = ("--imgdir", "s3://media/img")
    caplog.set_level("INFO", "werkzeug")
    caplog.clear()
    for skipped, each in ((0, {"HEAD": 2, "GET": 1, "LIST": 1, "PUT": 1}), (12, {"HEAD": 2, "GET": 1})):
        done = deepfake(tmp_path, "split", "uadfv", "--viddir", "s3://media/uadfv", *where, "--json", "--workers", 2)
        assert json.loads(done.stdout)["skipped"] == skipped
        asked = Counter(re.findall(r'"(?:\x1b\S*m)?([A-Z]+ \S+)', "\n".join(caplog.messages)))
        caplog.clear()
        kinds = Counter("LIST" if "list-type" in each else each.split()[0] for each in asked.elements())
        wanted = Counter({kind: count * 12 for kind, count in each.items()})
        assert sum((kinds - wanted).values()) <= 8, kinds  # of the folder, and of the manifest
    stored, local = bucket(s3, "img"), {name: (packed / "img" / name).read_bytes() for name in bucket(s3, "img")}
    assert stored["manifest.csv"] == local["manifest.csv"]
    assert {name for name in stored if name.endswith(".tar")} == {
        path.relative_to(packed / "img").as_posix() for path in (packed / "img").rglob("*.tar")
    }
    deepfake(tmp_path, "make-csv", "uadfv", "--ratio", 0.67, *where, "--csvdir", "s3://media/csv")
    assert bucket(s3, "csv")["train/train.csv"] == (packed / "csv" / "train" / "train.csv").read_bytes()
    lists = ("s3://media/csv/train/train.csv", "--val-annotations", "s3://media/csv/val/validation.csv")
    deepfake(tmp_path, "train", *lists, *TRAIN, "--run", "r")
    deepfake(packed, "train", *TRAIN, "--run", "beside")
    runs = (tmp_path / "runs/r/recipe.json", packed / "runs/beside/recipe.json")
    histories = [json.loads(path.read_text())["history"] for path in runs]
    assert histories[0] == histories[1]
    s3.upload_file(str(STARTER), "media", "starter.onnx")
    deepfake(tmp_path, "evaluate", lists[2], "s3://media/starter.onnx", *FEW)
    deepfake(packed, "evaluate", STARTER, "--output", "beside", *FEW)
    scores = [
        pd.read_csv(folder / "predictions.csv")["score"] for folder in (tmp_path / "evaluation", packed / "beside")
    ]
    assert (scores[0] == scores[1]).all()
    deepfake(tmp_path, "audit", lists[0], "--sample", 20)
    assert not list(temporary.glob("deepfake-*/manifest.csv")), "copies are gone"


@pytest.mark.slow
def test_predict_reads_and_writes_a_bucket(s3, tmp_path):
    for name, _ in CLIPS[:2]:
        s3.upload_file(str(FOLDER / name), "media", f"inbox/{name}")
    words = ("--max-frames", 8, "--csv", "s3://media/out/verdicts.csv", "--report", "s3://media/out/page.html")
    remote_run = deepfake(tmp_path, "predict", "s3://media/inbox", "s3://media/none.mp4", *words, "--json")
    local_run = deepfake(tmp_path, "predict", *(FOLDER / name for name, _ in CLIPS[:2]), *words[:2], "--json")
    found, local = (
        {Path(each["path"]).name: each for each in json.loads(run.stdout)["verdicts"]}
        for run in (remote_run, local_run)
    )
    for name, verdict in local.items():
        assert found[name]["path"] == f"s3://media/inbox/{name}"
        assert found[name]["score"] == verdict["score"] is not None
    assert found["none.mp4"]["verdict"] == "undecided"
    assert set(bucket(s3, "out")) == {"verdicts.csv", "page.html"}


def test_missing_and_unreachable_files_are_reported(s3, tmp_path, monkeypatch):
    def fault(*words) -> str:
        return " ".join(deepfake(tmp_path, *words, check=1).stderr.split())

    assert "s3://media/nothing: no files" in fault("split", "uadfv", "--viddir", "s3://media/nothing")
    assert "no such list" in fault("evaluate", "s3://media/none.csv", STARTER)
    assert "must be a local path" in fault("train", "--tensorboard-dir", "s3://media/runs")
    assert "There is no run x" in fault("train", "--runs-dir", "s3://media/none", "--resume", "x")
    assert "gets tars only" in fault("split", "uadfv", "--viddir", "x", "--imgdir", "s3://a/b", "--no-pack")
    if not importlib.util.find_spec("gcsfs"):
        assert "[gs]'" in fault("evaluate", "gs://media/none.csv", STARTER)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # each waits longer than the one before
    assert "s3://media/none.csv cannot be read" in fault("evaluate", "s3://media/none.csv", STARTER)


def test_a_failed_write_leaves_nothing(s3):
    with pytest.raises(RuntimeError), whole(Path("s3://media/part/x.csv")) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert not bucket(s3, "part")
    write_text(Path("s3://media/part/x.csv"), "one")
    write_text(Path("s3://media/part/x.csv"), "two")
    assert read_bytes("s3://media/part/x.csv") == b"two" and bucket(s3, "part") == {"x.csv": b"two"}
    write_text(
        Path("memory://part/y.csv"), "elsewhere"
    )  # a file system that writes in place: renamed, not half written
    assert read_bytes("memory://part/y.csv") == b"elsewhere"
    assert remote.file_names(Path("memory://part")) == {"y.csv"}
    with pytest.raises(StorageError, match="nosuch"):
        read_bytes("nosuch://a/b")

"""Runs and evaluations in an object store, a local S3 server, equal those on disk."""

import json
import time
from pathlib import Path

import numpy as np
import pytest

from deepfake_cli.errors import StorageError
from deepfake_cli.runs.mirror import Location
from tests import processes

from ..conftest import bucket, tree
from ..metrics.test_calibration import predictions
from ..training.test_train import FAST, TINY, weights_of

SETTINGS = (*FAST, "--steps", 30, "--epochs", 2)
RUNS = ("--runs-dir", "s3://media/kept")


@pytest.fixture
def project(tmp_path, deepfake, frames_of_uadfv) -> Path:
    """A folder with lists and a model."""
    (tmp_path / "tiny.py").write_text(TINY)
    deepfake("make-csv", "uadfv", "--imgdir", frames_of_uadfv, "--ratio", 0.67)
    return tmp_path


@pytest.mark.slow
def test_killed_and_resumed_run_in_a_bucket_equals_one_on_disk(s3, project, deepfake, json_of, tmp_path):
    deepfake("train", *SETTINGS, "--run", "whole")
    process = processes.start("train", *SETTINGS, *RUNS, "--run", "cut", "--save-steps", 7, cwd=project)
    while "state.keras" not in bucket(s3, "kept/cut"):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.kill()
    process.communicate()
    row = json_of("runs", *RUNS)[0]
    assert (row["name"], row["state"], row["model"]) == ("cut", "interrupted", "tiny:build")
    (temporary := project / "tmp").mkdir()
    done = deepfake("train", *RUNS, "--resume", "last", TMPDIR=str(temporary))
    assert "Run: s3://media/kept/cut" in done.stdout and "Best: s3://media/kept/cut/best.keras" in done.stdout
    assert not list(temporary.glob("deepfake-*")), "the local folder was deleted"
    assert json_of("runs", *RUNS)[0]["state"] == "finished"
    stored, whole = bucket(s3, "kept/cut"), project / "runs" / "whole"
    assert not {"state.keras", "lock"} & set(stored) and any(name.startswith("events/") for name in stored)
    assert "Resuming s3://media/kept/cut from" in stored["train.log"].decode()
    recipes = json.loads(stored["recipe.json"]), json.loads((whole / "recipe.json").read_text())
    assert recipes[0]["history"] == recipes[1]["history"] and recipes[0]["snapshots"] == recipes[1]["snapshots"]
    for name in recipes[1]["snapshots"]:
        (copy := tmp_path / "copy.keras").write_bytes(stored[name])
        assert all(np.array_equal(*pair) for pair in zip(weights_of(copy), weights_of(whole / name), strict=True)), name
    refused = deepfake("train", *SETTINGS, *RUNS, "--run", "cut", check=1).stderr.replace("\n", " ")
    assert "s3://media/kept/cut holds a run already" in refused


@pytest.mark.slow
def test_a_run_in_a_bucket_that_saved_nothing_is_begun_anew(s3, project, deepfake):
    words = ("train", *FAST, *RUNS, "--steps", 1, "--epochs", 1, "--run", "anew")
    deepfake(*words, "--model", "tiny:broken", check=1)
    failed = bucket(s3, "kept/anew")
    assert "recipe.json" in failed and not json.loads(failed["recipe.json"])["snapshots"]
    s3.put_object(Bucket="media", Key="kept/anew/events/train/earlier", Body=b"as an upload that ended early leaves it")

    facts = json.loads(failed["recipe.json"])
    elsewhere = facts | {"process": {"pid": facts["process"]["pid"], "host": "another"}}
    s3.put_object(Bucket="media", Key="kept/anew/recipe.json", Body=json.dumps(elsewhere).encode())
    refused = deepfake(*words, check=1).stderr
    assert "holds a run already" in " ".join(refused.split()), "another machine may still train it"
    s3.put_object(Bucket="media", Key="kept/anew/recipe.json", Body=failed["recipe.json"])
    assert "begun anew" in " ".join(deepfake(*words).stderr.split())
    begun = bucket(s3, "kept/anew")
    assert json.loads(begun["recipe.json"])["model"] == "tiny:build" and "best.keras" in begun
    assert "events/train/earlier" not in begun and any(name.startswith("events/") for name in begun)


@pytest.mark.slow
def test_evaluation_in_a_bucket_equals_one_on_disk(s3, project, deepfake):
    deepfake("train", *SETTINGS, "--onnx", *RUNS, "--run", "r")
    assert "best.onnx" in bucket(s3, "kept/r")
    for name, content in bucket(s3, "kept/r").items():
        (path := project / "runs" / "r" / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    made = predictions(project / "made.csv")
    for where, runs in (("s3://media/measured", RUNS), ("out", ())):
        deepfake("evaluate", *runs, "--output", f"{where}/evaluation", "--resamples", 20)
        deepfake("audit", "--output", f"{where}/audit", "--sample", 20)
        deepfake("report", f"{where}/evaluation", "--output", f"{where}/page.html")
        best = f"{runs[1] if runs else 'runs'}/r/best.keras"
        deepfake("calibrate", made, best, "--output", f"{where}/calibration")
        scores = [f"{where}/evaluation/predictions.csv"] * 2
        deepfake("compare", *scores, "--output", f"{where}/compared", "--resamples", 20)
        deepfake("export", *runs, "--output", f"{where}/best.tflite", "--format", "litert")
        deepfake("evaluate", "--predictions", scores[0], "--output", f"{where}/again", "--resamples", 20, "--no-report")
    stored, local = bucket(s3, "measured"), tree(project / "out")
    assert set(stored) == set(local)
    for name in ("evaluation/predictions.csv", "evaluation/heat_maps.npz", "audit/faces.png"):
        assert stored[name] == local[name], name
    kept = [json.loads(files["evaluation/metrics.json"]) for files in (stored, local)]
    assert kept[0]["frame"] == kept[1]["frame"] and kept[0]["snapshot"].endswith("kept/r/best.keras")
    recipes = [
        json.loads(text) for text in (bucket(s3, "kept/r")["recipe.json"], (project / "runs/r/recipe.json").read_text())
    ]
    assert recipes[0]["snapshots"] == recipes[1]["snapshots"] and "calibration" in recipes[0]["snapshots"]["best.keras"]
    assert b"warnings" in stored["audit/audit.json"] and b"audit" in stored["page.html"]


def test_list_check_reads_a_bucket(s3, project, deepfake):
    for path, content in tree(project / "csv").items():
        s3.put_object(Bucket="media", Key=f"checked/{path}", Body=content)
    where = ("make-csv", "--check", "--check-frames", 0, "--csvdir", "s3://media/checked")
    output = deepfake(*where, check=1).stderr
    assert "missing images" in output and "changed list" not in output, (
        "their relative paths lead nowhere from the bucket"
    )
    s3.delete_object(Bucket="media", Key="checked/val/validation.csv")
    assert "missing list" in deepfake(*where, check=1).stderr


def test_failed_upload_keeps_the_local_folder(s3, monkeypatch):
    run = Location(Path("s3://media/failing/r"))
    (run.folder / "recipe.json").write_text("{}")
    (run.folder / "best.keras").write_text("weights")
    run.send()
    assert set(bucket(s3, "failing/r")) == {"recipe.json", "best.keras"}
    (run.folder / "best.keras").unlink()
    run.send()
    assert set(bucket(s3, "failing/r")) == {"recipe.json"}
    again = Location(Path("s3://media/failing/r"))
    again.fetch()
    assert tree(again.folder) == tree(run.folder)
    monkeypatch.setattr("deepfake_cli.storage.remote.WHOLE", ())
    monkeypatch.setattr("deepfake_cli.storage.remote.protocol", lambda path: 1 / 0)
    (run.folder / "recipe.json").write_text('{"more": 1}')
    with pytest.raises(StorageError, match=f"The complete run is in {run.folder}"):
        run.send()
    run._delete(run.folder.parent)
    assert (run.folder / "recipe.json").read_text() == '{"more": 1}'

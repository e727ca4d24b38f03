"""What a run writes for TensorBoard, asked of TensorBoard itself."""

import io
import json
import subprocess
import sys
import time
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np
import pytest
from PIL import Image

from .test_train import FAST, TINY

PARTS = ("best", "train", "validation")


@pytest.fixture(scope="module")
def project(tmp_path_factory, frames_of_uadfv):
    """A folder with one run of two epochs, forged reals among its images."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "tiny.py").write_text(TINY)
    for words in (
        ("make-csv", "uadfv", "--imgdir", frames_of_uadfv, "--ratio", 0.67),
        ("train", *FAST, "--epochs", 2, "--run", "r", "--forgery", "self_blend"),
    ):
        command = [sys.executable, "-m", "deepfake_cli", *map(str, words)]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=200)
    return folder


@pytest.fixture(scope="module")
def ask(project):
    """A function that fetches a page of a TensorBoard that shows the project's runs."""
    command = [
        sys.executable,
        "-m",
        "tensorboard.main",
        "--logdir",
        str(project / "runs"),
        "--port",
        "0",
        "--load_fast=false",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            address = next(line for line in server.stderr if "http://" in line).split("http://")[1].split("/")[0]

            def fetch(page: str, **query: object) -> bytes:
                url = f"http://{address.replace('0.0.0.0', 'localhost')}/data/{page}?{urlencode(query)}"
                with urlopen(url, timeout=30) as answer:
                    return answer.read()

            yield until_all_are_loaded(fetch)
        finally:
            server.terminate()


def until_all_are_loaded(fetch):
    for _ in range(120):
        try:
            if len(json.loads(fetch("runs"))) == len(PARTS) and "r/events/validation" in tags(fetch, "pr_curves"):
                return fetch
        except URLError:
            pass
        time.sleep(0.5)
    pytest.fail(f"TensorBoard shows {fetch('runs')!r}")


def tags(fetch, plugin: str) -> dict:
    return json.loads(fetch(f"plugin/{plugin}/tags"))


def test_training_and_validation_share_their_charts(ask, project):
    assert set(json.loads(ask("runs"))) == {f"r/events/{part}" for part in PARTS}
    found = tags(ask, "scalars")
    both = set(found["r/events/train"]) & set(found["r/events/validation"])
    assert {"epoch/loss", "epoch/accuracy"} <= both
    assert "epoch/lr" in found["r/events/train"] and "epoch/auc" in found["r/events/validation"]
    history = json.loads((project / "runs" / "r" / "recipe.json").read_text())["history"]
    for part, name in (("train", "loss"), ("validation", "val_loss")):
        points = json.loads(ask("plugin/scalars/scalars", run=f"r/events/{part}", tag="epoch/loss"))
        assert [point[1] for point in points] == [1, 2]
        assert [point[2] for point in points] == pytest.approx([row[name] for row in history])


@pytest.mark.parametrize(("part", "tag"), [("train", "faces/training"), ("validation", "faces/most wrong")])
def test_faces_are_shown(ask, part, tag):
    assert tag in tags(ask, "images")[f"r/events/{part}"]
    shown = json.loads(ask("plugin/images/images", run=f"r/events/{part}", tag=tag, sample=0))
    query = dict(pair.split("=") for pair in shown[-1]["query"].split("&"))
    image = np.asarray(Image.open(io.BytesIO(ask("plugin/images/individualImage", **query))).convert("RGB"))
    assert min(image.shape[:2]) > 100 and len(np.unique(image.reshape(-1, 3), axis=0)) > 100


def test_a_precision_recall_curve_of_each_epoch(ask):
    run = "r/events/validation"
    assert "frames/pr_curves" in tags(ask, "pr_curves")[run]
    curves = json.loads(ask("plugin/pr_curves/pr_curves", run=run, tag="frames/pr_curves"))[run]
    assert [curve["step"] for curve in curves] == [1, 2]
    assert all(0 <= value <= 1 for curve in curves for value in (*curve["precision"], *curve["recall"]))


def test_settings_are_hyper_parameters(ask):
    query = {"experimentName": ""}
    found = json.loads(ask("plugin/hparams/experiment", request=json.dumps(query)))
    names = {each["name"] for each in found["hparamInfos"]}
    assert {"lr", "batch_size", "forgery"} <= names and "workers" not in names

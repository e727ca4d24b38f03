"""Train and evaluate with the real commands and a small user-defined model."""

import json
import re
import shutil

import cv2
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

TINY = """
import keras
from keras import layers

def build(input_shape, weights):
    inputs = keras.Input(input_shape)
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.BatchNormalization()(layers.Conv2D(8, 3, strides=2, activation="relu")(x))
    x = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid", name="probability")(x), name="tiny")

class Spoil(layers.Layer):
    def call(self, x, training=False):
        return x * float("nan") if training else x

def broken(input_shape, weights):
    model = build(input_shape, weights)
    score = model.layers[-1](Spoil()(model.layers[-2].output))
    return keras.Model(model.inputs[0], score)
"""
FAST = ("--model", "tiny:build", "--image-size", 32, "--batch-size", 8, "--no-onnx")


@pytest.fixture
def project(tmp_path, deepfake, frames_of_uadfv):
    """A folder with lists of the small UADFV and a user-defined model."""
    (tmp_path / "tiny.py").write_text(TINY)
    deepfake("make-csv", "uadfv", "--imgdir", frames_of_uadfv, "--ratio", 0.67)
    return tmp_path


def weights_of(snapshot):
    """All variables of a snapshot: weights, batch normalisation, seeds, optimizer."""
    import keras

    model = keras.models.load_model(snapshot)
    return [np.asarray(value) for value in [*model.weights, *model.optimizer.variables]]


def test_train_and_evaluate_agree_with_the_recipe(project, deepfake, json_of):
    done = deepfake("train", *FAST, "--epochs", 2)
    lines = done.stdout.splitlines()
    phases = ("loading TensorFlow", "building the model", "reading the first batch", "tracing the graph", "validating")
    named = [line for line in done.stderr.splitlines() if line.endswith("…")]
    assert named == [f"{phase[0].upper()}{phase[1:]} …" for phase in phases]
    assert len([line for line in lines if line.startswith("epoch")]) == 2
    assert "\x1b" not in "".join(lines)
    (run,) = (project / "runs").iterdir()
    assert run.name.startswith("tiny_build-")
    assert (run / "train.log").read_text().splitlines() == lines
    metrics = json_of("evaluate", "--output", "evaluation")
    assert metrics["snapshot"] == f"runs/{run.name}/best.keras"
    scores = pd.read_csv(project / "evaluation" / "predictions.csv")
    listed = pd.read_csv(project / "csv" / "val" / "validation.csv")
    assert len(scores) == len(listed)
    auc = roc_auc_score(scores["label"] == "fake", scores["score"])
    assert metrics["frame"]["auc"]["value"] == pytest.approx(auc)
    assert metrics["frame"]["n"] == len(listed) and metrics["video"]["n"] == listed["video"].nunique()
    recipe = json.loads((run / "recipe.json").read_text())
    assert recipe["settings"]["epochs"] == 2 and len(recipe["history"]) == 2
    best = max(recipe["history"], key=lambda row: (row["val_auc"], -row["val_loss"]))
    assert recipe["snapshots"]["best.keras"]["epoch"] == best["epoch"]
    assert metrics["threshold"] == pytest.approx(recipe["snapshots"]["best.keras"]["threshold"])
    assert metrics["pool"] == recipe["snapshots"]["best.keras"]["pool"] == best["pool"]
    assert any("were chosen on 2 of 2 groups" in note for note in metrics["notes"])
    assert list((run / "events").glob("*/events*"))
    assert pd.read_csv(run / "results.csv").to_dict("records") == recipe["history"]
    assert cv2.imread(str(run / "results.png")).shape[1] > 3000  # 300 dpi


@pytest.mark.slow
def test_run_from_snapshot_equals_uninterrupted_run(project, deepfake):
    settings = (*FAST, "--epochs", 4, "--reduce-lr-patience", 1)
    deepfake("train", *settings, "--run", "whole")
    begun = deepfake("train", *settings, "--run", "later", "--snapshot", "runs/whole/tiny_build_csv_02.keras").stdout
    assert "epoch 3/4" in begun and "epoch 2/4" not in begun
    one, other = (json.loads((project / "runs" / name / "recipe.json").read_text()) for name in ("whole", "later"))
    assert one["history"] == other["history"]
    assert one["snapshots"]["best.keras"] == other["snapshots"]["best.keras"]
    assert all((project / "runs" / "later" / name).is_file() for name in other["snapshots"])
    for name in ("tiny_build_csv_04.keras", "best.keras"):
        pairs = zip(*(weights_of(project / "runs" / run / name) for run in ("whole", "later")), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.slow
def test_weights_depend_on_the_seed(project, deepfake):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        deepfake("train", *FAST, "--epochs", 1, "--steps", 2, "--snapshot-path", name, "--seed", seed)
    a, b, c = (weights_of(project / name / "best.keras") for name in "abc")
    assert all(np.array_equal(one, other) for one, other in zip(a, b, strict=True))
    assert not all(np.array_equal(one, other) for one, other in zip(a, c, strict=True))


@pytest.mark.slow
def test_leaky_and_broken_lists_are_refused(project, deepfake):
    train = project / "csv" / "train" / "train.csv"
    leaky = deepfake("train", *FAST, "--val-annotations", train, check=1).stderr
    assert "share 4 groups" in leaky and "uadfv/" in leaky
    deepfake("train", *FAST, "--val-annotations", train, "--allow-leakage", "--epochs", 1, "--steps", 1)
    table = pd.read_csv(train, dtype=str)
    table[table["label"] == "fake"].to_csv(project / "csv" / "train" / "one.csv", index=False)
    assert "all" in deepfake("train", "csv/train/one.csv", *FAST, check=1).stderr
    table.assign(path=table["path"] + ".gone").to_csv(project / "csv" / "train" / "gone.csv", index=False)
    assert (
        f"{len(table)} of {len(table)} images are missing"
        in deepfake("train", "csv/train/gone.csv", *FAST, check=1).stderr
    )
    assert "no such list" in deepfake("train", "nowhere.csv", *FAST, check=1).stderr


@pytest.mark.slow
@pytest.mark.parametrize("data", [b"\xff\xd8\xff not a picture", b"no image", b""])
def test_undecodable_image_is_named(project, deepfake, data):
    table = pd.read_csv(project / "csv" / "train" / "train.csv", dtype=str)
    bad = project / "csv" / "train" / "bad.jpg"
    bad.write_bytes(data)
    table.loc[0, "path"] = "bad.jpg"
    table.to_csv(project / "csv" / "train" / "bad.csv", index=False)
    assert "bad.jpg" in deepfake("train", "csv/train/bad.csv", *FAST, "--no-balance", check=1).stderr


@pytest.mark.slow
def test_nan_loss_stops_the_run(project, deepfake):
    failed = deepfake("train", "--model", "tiny:broken", "--image-size", 32, check=1)
    assert "loss is nan" in failed.stderr and "train --lr 1e-05" in failed.stderr
    assert not list(project.rglob("*.keras"))


NO_GPU = {"CUDA_VISIBLE_DEVICES": ""} if shutil.which("nvidia-smi") else {}  # a variable makes a process fresh


@pytest.mark.slow
def test_two_replicas_on_the_cpu(project, deepfake):
    assert "--multi-gpu-force" in deepfake("train", *FAST, "--multi-gpu", 2, check=1, **NO_GPU).stderr
    lines = deepfake(
        "train", *FAST, "--multi-gpu", 2, "--multi-gpu-force", "--epochs", 1, "--steps", 3, **NO_GPU
    ).stdout
    assert re.search(r"epoch 1/1 +loss", lines)
    deepfake("evaluate", "--no-report", "--resamples", 9, **NO_GPU)


@pytest.mark.slow
def test_evaluate_reads_old_files_and_names_missing_ones(project, deepfake, json_of):
    deepfake("train", *FAST, "--epochs", 1, "--steps", 2)
    import keras

    (run,) = (project / "runs").iterdir()
    model = keras.models.load_model(run / "best.keras")
    old = project / "old"
    old.mkdir()
    model.save(old / "whole.h5")
    model.save_weights(old / "only.weights.h5")
    (project / "snapshots").mkdir()  # the layout of an old trainer
    (run / "best.keras").rename(project / "snapshots" / "best.keras")
    weights_only = ("old/only.weights.h5", "--model", "tiny:build", "--image-size", 32)
    few = ("--no-report", "--resamples", 9)
    figures = [json_of("evaluate", *names, *few)["frame"]["auc"] for names in ((), ("old/whole.h5",), weights_only)]
    assert figures[0] == figures[1] == figures[2]
    assert "--model NAME" in deepfake("evaluate", "old/only.weights.h5", check=1).stderr
    assert "no such snapshot" in deepfake("evaluate", "gone.keras", check=1).stderr
    lines = (project / "csv" / "val" / "validation.csv").read_text().splitlines()[1:]
    rows = [line.split(",") for line in lines]
    headerless = project / "csv" / "val" / "old.csv"
    headerless.write_text("".join(f"{row[0]},{int(row[1] == 'fake')}\n" for row in rows))
    assert json_of("evaluate", "csv/val/old.csv", *few)["frame"]["auc"]["value"] == figures[0]["value"]


@pytest.mark.slow
def test_no_snapshots_keeps_best_and_last(project, deepfake):
    deepfake("train", *FAST, "--epochs", 3, "--steps", 1, "--no-snapshots", "--snapshot-path", "snapshots")
    assert {path.name for path in (project / "snapshots").glob("*.keras")} == {"best.keras", "tiny_build_csv_03.keras"}
    deepfake("train", *FAST, "--epochs", 1, "--steps", 1, "--no-evaluation", "--val-annotations", "nowhere.csv")
    assert list((project / "runs").glob("*/best.keras"))


def test_doctor_accepts_this_environment(deepfake, json_of):
    found = {finding["name"]: finding for finding in json_of("doctor")}
    assert not any(finding["fatal"] for finding in found.values())
    assert "rfb320" in found["Face detector"]["found"]
    assert found["Keras"]["found"].endswith("on tensorflow")


def test_doctor_names_the_fix_of_a_broken_environment(deepfake, tmp_path):
    """TensorFlow and OpenCV that cannot be imported, as in a broken installation."""
    for name in ("tensorflow", "cv2"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')")
    broken = deepfake("doctor", check=1, PYTHONPATH=str(tmp_path))
    assert "libGL.so.1" in broken.stdout
    assert "pip install --force-reinstall tensorflow" in broken.stderr
    assert "opencv-python-headless" in broken.stderr


@pytest.mark.slow
def test_detector_of_one_pair_works_on_the_other_and_on_uadfv(stand_ins, deepfake, json_of):
    """The stand-ins of TIMIT and UADFV share people, so the second AUC is not a cross-dataset result."""
    timit, reals = stand_ins / "DeepfakeTIMIT", stand_ins / "VidTIMIT"
    deepfake("split", "timit", "--viddir", timit, "--realdir", reals, "--every", 6)
    deepfake("make-csv", "timit")
    small = ("--image-size", 128, "--lr", 3e-4, "--epochs", 4, "--no-onnx")
    deepfake("train", "--model", "efficientnet_lite0", *small)
    assert json_of("evaluate")["video"]["auc"]["value"] >= 0.90
    deepfake("split", "uadfv", "--viddir", stand_ins / "UADFV", "--imgdir", "uadfv", "--every", 6)
    found = json_of("evaluate", "uadfv/manifest.csv")
    assert found["frame"]["auc"]["value"] >= 0.90

"""Exported detectors have the scores of Keras, and complete metadata."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import cv2
import keras
import numpy as np
import onnx
import pandas as pd
import pytest

from deepfake_cli.assets import CLIPS, FOLDER, STARTER
from deepfake_cli.errors import ModelError
from deepfake_cli.inference import runtimes
from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.models import build_model
from deepfake_cli.models.export import differences
from deepfake_cli.runs import recipe
from deepfake_cli.training.export import ExportResult, export_best, export_model
from tests import processes
from tests.metrics.test_calibration import predictions
from tests.training.test_train import FAST, project  # noqa: F401

SIDE = 64
FEW = ("--no-report", "--resamples", 9)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory) -> Path:
    """A run with an untrained MobileNet and a recipe with calibration."""
    path = tmp_path_factory.mktemp("run") / "best.keras"
    keras.utils.set_random_seed(0)
    build_model("mobilenet_v3_small", image_size=SIDE, weights=None).save(path)
    calibration = {"method": "temperature", "temperature": 2.0}
    own = {"best.keras": {"epoch": 1, "threshold": 0.25, "calibration": calibration}}
    recipe.write(path.parent, {"model": "mobilenet_v3_small", "settings": {"margin": 1.5}, "snapshots": own, "seed": 7})
    return path


@pytest.fixture(scope="module")
def model(snapshot) -> keras.Model:
    return keras.models.load_model(snapshot, compile=False)


@pytest.fixture(scope="module")
def exported(snapshot, model) -> ExportResult:
    """The snapshot as an ONNX file, with what was said of it."""
    return export_model(model, snapshot, output=snapshot.with_name("d.onnx"))


@pytest.fixture
def crops() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", ["onnx", "openvino"])
def test_exported_scores_match_keras_in_every_runtime(exported, model, crops, name):
    if name == "openvino":
        pytest.importorskip("openvino")
    assert exported.difference < 1e-4 and exported.size == exported.path.stat().st_size
    network = runtimes.load(exported.path, name)
    expected = model.predict(crops.astype("float32"), verbose=0)[:, 0]
    np.testing.assert_allclose(network.scores(crops), expected, atol=1e-4 if name == "onnx" else 2e-2)  # bfloat16
    np.testing.assert_allclose(network.scores(crops[:1]), expected[:1], atol=1e-4 if name == "onnx" else 2e-2)
    traits = network.traits
    assert (traits.model, traits.image_size, traits.margin) == ("mobilenet_v3_small", SIDE, 1.5)
    assert traits.calibration == {"method": "temperature", "temperature": 2.0} and traits.recipe["seed"] == 7
    assert traits.threshold == pytest.approx(1 / (1 + 3**0.5), abs=1e-4), "as calibrated: a half of the logit of 1/4"


@pytest.mark.slow
def test_evaluate_runs_onnx_without_tensorflow(exported, model, tmp_path, frames_of_uadfv):
    """On crops of the input size, less than half of it, and more than twice."""
    shutil.copyfile(exported.path, tmp_path / "d.onnx")
    from deepfake_cli.data import manifest
    from deepfake_cli.training.scoring import scores

    table = manifest.read(frames_of_uadfv / "manifest.csv").iloc[::5].reset_index(drop=True)
    for number, path in enumerate(table["path"].tolist()):
        side = (SIDE, SIDE - 9, 3 * SIDE)[number % 3]
        table.loc[number, "path"] = str(tmp_path / f"{number}.png")
        cv2.imwrite(table.loc[number, "path"], cv2.resize(cv2.imread(path), (side, side)))
    manifest.write_table(tmp_path / "list.csv", table)
    code = "import sys; from deepfake_cli.cli import app\ntry: app(sys.argv[1:])\nfinally: print('tensorflow' in sys.modules)"
    words = ("evaluate", "list.csv", "d.onnx", "--resamples", "9", "--no-calibration", "--threshold", "0.5")
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.endswith("False\n"), done.stdout + done.stderr
    assert "No recipe.json next to d.onnx" in done.stdout + done.stderr
    found = pd.read_csv(tmp_path / "evaluation" / "predictions.csv")["score"]
    np.testing.assert_allclose(found, scores(model, table, batch_size=4, workers=1), atol=1e-4)
    assert "data:image/jpeg" in (tmp_path / "evaluation" / "report.html").read_text()
    refused = processes.run(*words[:3], *FEW, cwd=tmp_path)
    assert refused.returncode == 0  # the threshold in the file is that of its calibrated scores
    refused = processes.run(*words[:3], *FEW, "--no-calibration", cwd=tmp_path, check=1)
    assert "--threshold with --no-calibration" in " ".join(refused.stderr.split())


def test_heat_map_sums_to_the_logit(exported, model, crops):
    """Its mean plus the bias equals the logit."""
    network = runtimes.load(exported.path)
    assert network.maps
    heat = network.heat(crops)
    logit = np.log(network.scores(crops) / (1 - network.scores(crops)))
    bias = model.get_layer("probability").bias.numpy()[0]
    np.testing.assert_allclose(heat.mean(axis=(1, 2)) + bias, logit, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_models_are_exported_in_float32(policy, crops, tmp_path):
    keras.config.set_dtype_policy(policy)
    try:
        keras.utils.set_random_seed(0)
        model = build_model("meso4", image_size=SIDE, weights=None)
    finally:
        keras.config.set_dtype_policy("float32")
    model.save(tmp_path / "best.keras")
    result = export_model(model, tmp_path / "best.keras", output=tmp_path / "d.onnx")
    assert result.difference < 1e-4
    expected = model.predict(crops.astype("float32"), verbose=0)[:, 0]
    np.testing.assert_allclose(runtimes.load(tmp_path / "d.onnx").scores(crops), expected, atol=2e-2)


@pytest.mark.slow
def test_a_pass_of_the_converter_that_fails_is_left_out(tmp_path, monkeypatch):
    """Then it works on copies of its graph; it converts in place otherwise, to the same nodes and constants."""
    from tf2onnx import optimizer

    from deepfake_cli.models import export_onnx

    files = [tmp_path / name for name in ("in_place.onnx", "copied.onnx", "without.onnx")]
    model, traits = build_model("meso4", image_size=SIDE, weights=None), Traits("meso4", SIDE)
    export_onnx.export_onnx(model, files[0], traits)
    applied = []

    class Failing(optimizer.IdentityOptimizer):
        def _optimize(self, graph):
            applied.append(os.environ.get(export_onnx.CATCH))
            raise ValueError("no such node")

    with monkeypatch.context() as patch:
        patch.setitem(optimizer._optimizers, "remove_identity", Failing)
        export_onnx.export_onnx(model, files[2], traits)
    assert applied[0] == "FALSE" and len(applied) > 1 and not any(applied[1:])
    monkeypatch.setattr(export_onnx, "_catching_no_errors", nullcontext)
    export_onnx.export_onnx(model, files[1], traits)
    in_place, copied = (onnx.load(str(path)).graph for path in files[:2])
    assert [node.op_type for node in in_place.node] == [node.op_type for node in copied.node]
    assert [each.name for each in in_place.initializer] == [each.name for each in copied.initializer], "their hashes"
    images = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    assert differences(model, files[2], images).max() < 1e-4


def test_preprocessing_is_per_channel():
    """As in the starter detector: per-channel constants come after the transpose to channels first."""
    graph = onnx.load(str(STARTER)).graph
    constants = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    kinds = [node.op_type for node in graph.node]
    assert kinds.index("Transpose") < kinds.index("Mul") < kinds.index("Conv")
    first = next(node for node in graph.node if node.op_type == "Mul")
    assert (3, 1, 1) in [constants.get(name) for name in first.input]


@pytest.mark.slow
def test_train_exports_best_onnx_and_calibrate_updates_it(project, deepfake, json_of):  # noqa: F811
    """best.onnx is never older than best.keras: resuming a run exports it again."""
    train = ("train", *(word for word in FAST if word != "--no-onnx"), "--run", "r", "--lr", 0.01)
    assert "--detector runs/r/best.onnx" in deepfake(*train, "--epochs", 1).stdout
    run = project / "runs" / "r"
    first = (run / "best.onnx").read_bytes()
    assert "could not be exported" not in deepfake("train", "--resume", "r", "--epochs", 3).stderr
    assert (run / "best.onnx").read_bytes() != first
    for when in ("plain", "calibrated"):
        found = {
            end: json_of("evaluate", "csv/val/validation.csv", run / f"best.{end}", *FEW, "--output", f"{when}-{end}")
            for end in ("keras", "onnx")
        }
        keras_, exported = found["keras"], found["onnx"]
        scores = [pd.read_csv(project / f"{when}-{end}" / "predictions.csv")["score"] for end in found]
        np.testing.assert_allclose(*scores, atol=1e-4)
        assert exported["threshold"] == pytest.approx(keras_["threshold"])
        assert exported["calibration"] == keras_["calibration"] and exported["pool"] == keras_["pool"]
        assert any("were chosen on" in note for note in exported["notes"])  # the recipe beside it knows
        if when == "plain":
            assert keras_["calibration"] is None
            made = predictions(project / "made.csv")
            assert "best.onnx" in deepfake("calibrate", made, run / "best.keras").stdout


@pytest.mark.slow
def test_compact_files_have_half_the_size_and_similar_scores(snapshot, model, exported, tmp_path):
    half = export_model(model, snapshot, output=tmp_path / "compact.onnx", compact=True)
    assert half.size < 0.6 * exported.size and half.difference < 5e-3


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["litert", "saved_model"])
def test_other_formats_match_keras(deepfake, snapshot, kind, tmp_path):
    told = json.loads(
        deepfake(
            "export", snapshot, "--format", kind, "--output", {"litert": "d.tflite"}.get(kind, "d"), "--json"
        ).stdout
    )
    assert told["difference"] < 1e-4 and (tmp_path / told["path"]).exists()


@pytest.mark.slow
def test_exported_detector_predicts(deepfake, snapshot, tmp_path):
    assert "maximum difference" in deepfake("export", snapshot, "--output", "d.onnx").stdout
    (verdict,) = json.loads(
        deepfake("predict", FOLDER / CLIPS[0][0], "--detector", "d.onnx", "--every", 25, "--json").stdout
    )["verdicts"]
    assert verdict["verdict"] in ("real", "fake") and verdict["threshold"] == pytest.approx(0.366, abs=1e-3)


@pytest.mark.slow
def test_export_errors(deepfake, snapshot, tmp_path):
    (tmp_path / "broken.keras").write_bytes(b"none")
    for words, said in (
        (("broken.keras",), "broken"),
        (("none.keras",), "none.keras: no such file"),
        ((), "No run in runs has a best.keras"),
        ((snapshot, "--output", "d.txt"), "expected the name d.onnx"),
    ):
        assert said in deepfake("export", *words, check=1).stderr
    assert not list(tmp_path.glob("*.onnx"))


def test_export_with_different_scores_is_not_written(tmp_path_factory, tmp_path, monkeypatch):
    """The comparison works: a model with other weights after tracing is rejected."""
    from deepfake_cli.models import export

    model, snapshot = build_model("meso4", image_size=SIDE, weights=None), tmp_path_factory.mktemp("run") / "best.keras"
    model.save(snapshot)
    suffix, write = export.EXPORTS["onnx"]

    def spoiled(model, *given, **named):
        write(model, *given, **named)
        head = model.get_layer("probability")
        head.bias.assign_add([1.0])

    monkeypatch.setitem(export.EXPORTS, "onnx", (suffix, spoiled))
    with pytest.raises(ModelError, match="differ from Keras"):
        export_model(model, snapshot, output=tmp_path / "d.onnx")
    assert not list(tmp_path.iterdir())


def test_a_failed_export_of_the_best_snapshot_is_reported_not_raised(tmp_path, monkeypatch):
    from deepfake_cli.models import export

    build_model("meso4", image_size=SIDE, weights=None).save(tmp_path / "best.keras")

    def failing(*given, **named):
        raise ValueError("no such operation")

    monkeypatch.setitem(export.EXPORTS, "onnx", (".onnx", failing))
    assert export_best(tmp_path / "best.keras") == "ValueError: no such operation"
    assert [path.name for path in tmp_path.iterdir()] == ["best.keras"]
    monkeypatch.undo()
    assert export_best(tmp_path / "best.keras") == "" and (tmp_path / "best.onnx").is_file()


def test_readme_example_runs():
    code = (
        "from deepfake_cli import Detector; print(Detector.load().predict(__import__('sys').argv[1], every=25).label)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, FOLDER / CLIPS[0][0]], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "real\n", done.stderr

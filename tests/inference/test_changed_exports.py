"""Exported detectors that were changed: refused with the file and what to do, before anything is allocated."""

import json

import numpy as np
import onnx
import psutil
import pytest
from onnx import TensorProto, helper, numpy_helper

from deepfake_cli.assets import STARTER
from deepfake_cli.errors import ModelError
from deepfake_cli.inference import runtimes
from deepfake_cli.inference.runtimes.metadata import KEY, Traits
from deepfake_cli.runs.best_onnx import read_export

SIDE = 32


def exported(path, *, size=SIDE, takes=("batch", SIDE, SIDE, 3), nodes=(), constants=(), name="probability"):
    """Write a detector whose score is the mean of the image / 255, or of `nodes` from "mean" to "score"."""
    images = helper.make_tensor_value_info("images", TensorProto.UINT8, takes)
    score = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
    scale = numpy_helper.from_array(np.array(255, np.float32), "scale")
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT),
            helper.make_node("Div", ["pixels", "scale"], ["scaled"]),
            helper.make_node("ReduceMean", ["scaled"], ["flat"], axes=[1, 2], keepdims=0),
            helper.make_node("ReduceMean", ["flat"], ["mean"], axes=[1], keepdims=1),
            *(nodes or [helper.make_node("Identity", ["mean"], [name])]),
        ],
        "detector",
        [images],
        [score],
        [scale, *constants],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {KEY: json.dumps({"model": "mean", "image_size": size})})
    path.write_bytes(model.SerializeToString())
    return path


def constant(values, name):
    return numpy_helper.from_array(np.array(values), name)


def outside():
    """A constant whose values are in another file."""
    tensor = TensorProto(name="kept", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../elsewhere.bin")
    return tensor


HUGE = TensorProto(name="kept", data_type=TensorProto.FLOAT, dims=[10**12], raw_data=b"1234")
KEEP = (
    helper.make_node("ReduceSum", ["kept"], ["rest"], keepdims=1),
    helper.make_node("Add", ["mean", "rest"], ["probability"]),
)
CHANGED = {
    "size -1": ({"size": -1}, "image_size: found -1"),
    "size 0": ({"size": 0}, "image_size: found 0"),
    "huge size": ({"size": 10**9}, "image_size: found 1000000000"),
    "size as text": ({"size": "32"}, "image_size: found '32'"),
    "another size": ({"size": 64}, "metadata say (batch, 64, 64, 3)"),
    "grey": ({"takes": ("batch", SIDE, SIDE, 1)}, "takes images of shape ('batch', 32, 32, 1)"),
    "fixed batch": ({"takes": (4, SIDE, SIDE, 3)}, "takes images of shape (4, 32, 32, 3)"),
    "another output": ({"name": "score"}, "an output named probability"),
    "terabytes in a constant": ({"nodes": KEEP, "constants": [HUGE]}, "cannot be loaded"),
    "data in another file": ({"nodes": KEEP, "constants": [outside()]}, "cannot be loaded"),
}
GROWS = {  # nodes that ask for 4 GB, or for terabytes
    "ConstantOfShape": (["shape"], [10**9]),
    "ConstantOfShape, terabytes": (["shape"], [8 * 10**12]),
    "Expand": (["mean", "shape"], [1, 10**9]),
    "Tile": (["mean", "shape"], [1, 10**9]),
    "Resize": (["scaled", "", "", "shape"], [1, SIDE, SIDE, 10**6]),
}
RUN = {
    "beyond 1": (
        {"nodes": [helper.make_node("Add", ["mean", "two"], ["probability"])], "constants": [constant(np.float32(2), "two")]},
        "returns the score 2",
    ),
    "not a number": (
        {"nodes": [helper.make_node("Div", ["zero", "zero"], ["nan"]), helper.make_node("Add", ["mean", "nan"], ["probability"])],
         "constants": [constant(np.float32(0), "zero")]},
        "returns the score nan",
    ),
    "two columns": (
        {"nodes": [helper.make_node("Concat", ["mean", "mean"], ["probability"], axis=1)]},
        "returns scores of shape (1, 2)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGED)
def test_a_changed_detector_is_refused_when_loaded(name, tmp_path):
    changes, said = CHANGED[name]
    path = exported(tmp_path / "changed.onnx", **changes)
    with pytest.raises(ModelError) as caught:
        runtimes.load(path)
    assert str(path) in str(caught.value) and said in str(caught.value)


@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
@pytest.mark.parametrize("name", GROWS)
def test_nodes_that_ask_for_gigabytes_are_refused_before_they_get_them(name, runtime, tmp_path):
    inputs, shape = GROWS[name]
    nodes = (helper.make_node(name.partition(",")[0], inputs, ["kept"]), *KEEP)
    path = exported(tmp_path / "changed.onnx", nodes=nodes, constants=[constant(shape, "shape")])
    before = psutil.Process().memory_info().rss
    with pytest.raises(
        ModelError, match=r"changed\.onnx cannot be run: it needs more than 1 GiB of memory for an image"
    ):
        runtimes.load(path, runtime)
    assert psutil.Process().memory_info().rss - before < 2**28


@pytest.mark.parametrize("name", RUN)
def test_what_a_detector_returns_is_checked(name, tmp_path):
    changes, said = RUN[name]
    network = runtimes.load(exported(tmp_path / "changed.onnx", **changes))
    with pytest.raises(ModelError) as caught:
        network.scores(np.zeros((1, SIDE, SIDE, 3), np.uint8))
    assert "changed.onnx" in str(caught.value) and said in str(caught.value)


def test_the_unchanged_ones_are_read(tmp_path):
    network = runtimes.load(exported(tmp_path / "plain.onnx"))
    assert network.scores(np.full((2, SIDE, SIDE, 3), 51, np.uint8)) == pytest.approx([0.2, 0.2], abs=1e-5)
    starter = runtimes.load(STARTER)
    assert starter.traits == Traits.parse(starter.traits.text, STARTER)


def test_commands_refuse_a_changed_detector(deepfake, tmp_path):
    path = exported(tmp_path / "changed.onnx", size=-1)
    (tmp_path / "a.txt").touch()
    for words in (
        ("predict", "a.txt", "--detector", path),
        ("predict", "a.txt", "--detector", path, "--runtime", "openvino"),
    ):
        assert "image_size: found -1" in deepfake(*words, check=1).stderr


def test_calibrate_checks_the_export_before_its_work(deepfake, tmp_path):
    exported(tmp_path / "best.onnx", nodes=KEEP, constants=[outside()])
    (tmp_path / "best.keras").write_bytes(b"x")
    (tmp_path / "recipe.json").write_text('{"snapshots": {"best.keras": {"epoch": 1}}}')
    rows = ["path,dataset,group,video,label,score", "a,b,c,d,real,0.1", "e,b,f,g,fake,0.9"]
    (tmp_path / "predictions.csv").write_text("\n".join(rows) + "\n")
    before = (tmp_path / "recipe.json").read_bytes()
    said = deepfake("calibrate", "predictions.csv", "best.keras", check=1).stderr
    assert "best.onnx: has data in other files" in said
    assert (tmp_path / "recipe.json").read_bytes() == before and not (tmp_path / "evaluation").exists()
    assert onnx.load(tmp_path / "best.onnx", load_external_data=False).graph.name == "detector"


def test_metadata_that_are_no_text_are_damage(tmp_path):
    path = exported(tmp_path / "a.onnx")
    path.write_bytes(path.read_bytes().replace(b'"mean"', b'"me\xffn"'))
    for read in (runtimes.load, read_export):
        with pytest.raises(ModelError, match=r"a\.onnx"):
            read(path)

"""Detectors of a user in PyTorch, described in TOML: the scores are those of timm, torchvision and the others."""

import json
from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import save_file

from deepfake_cli import Detector
from deepfake_cli.commands.export import export
from deepfake_cli.config import Export
from deepfake_cli.errors import ConfigError, ModelError
from deepfake_cli.models.checkpoints import read_checkpoint
from deepfake_cli.models.checkpoints.imported import Imported
from deepfake_cli.models.export_onnx import export_onnx
from deepfake_cli.models.heat import Heat, heat_of
from deepfake_cli.models.keras_private import flatten_layers
from tests.models.reference.numbers import images, state
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
DENSE = ("vgg", "mobilenetv3", "mobilenet_v3")  # dense layers with activations follow their last feature map
EXPORTED = {  # every kind of layer of the others is in one of them
    "efficientnet_pytorch", "timm-clip", "timm-clip-quickgelu", "timm-efficientnet_lite0", "timm-tf-mobilenetv3",
    "torchvision-vgg13_bn", "two-classes-small",
}  # fmt: skip
DESCRIBED = [name for name, case in CASES.items() if case["family"] == "described"]


def describe(path: Path, name: str, **changes: object) -> str:
    """Write the description of a case; returns it as the name of a family."""
    told = {"fake": 1, "name": "Ours", "licence": "MIT", "commercial": True, "trained_on": "ours"}
    values = told | {key: value for key, value in CASES[name]["toml"].items() if value} | changes
    path.write_text("\n".join(f"{key} = {json.dumps(value)}" for key, value in values.items()))
    return str(path)


@pytest.fixture(scope="module")
def described(tmp_path_factory, checkpoint):  # noqa: F811
    """The model and the traits of a case, read once for the tests below."""

    @cache
    def read(name: str) -> Imported:
        padding = {"padding_size": 380} if name == "efficientnet_pytorch" else {}
        folder = tmp_path_factory.mktemp("described")
        return read_checkpoint(checkpoint(name), describe(folder / "d.toml", name, **padding))

    return read


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_described_state_dictionary_scores_as_in_pytorch(described, name):
    """Models of timm, torchvision, efficientnet_pytorch and clip: two classes or one logit, no name where tensors tell it."""
    case, (model, _) = CASES[name], described(name)
    assert np.ptp(case["scores"]) > 20 * TOLERANCE, "the scores tell the images apart"
    np.testing.assert_allclose(scores(model, case["side"]), case["scores"], atol=TOLERANCE)
    heat = heat_of(model)
    assert heat is not None
    if any(each in name for each in DENSE):
        check_gradient(model, heat, case["side"])


def check_gradient(model: keras.Model, heat: Heat, side: int) -> None:
    """The mean of a map is the sum of the map's features, each times the gradient of the logit."""
    tail = model.layers[next(at for at, layer in enumerate(model.layers) if layer.input is heat.tensors[0]) :]
    features, *values = (
        each.numpy() for each in keras.Model(model.inputs[0], heat.tensors)(images(side).astype("float32"))
    )
    found = x = tf.Variable(features)
    with tf.GradientTape() as tape:
        for layer in tail[:-1]:
            x = layer(x)
        logit = tf.reduce_sum(x @ tail[-1].kernel)
    maps = heat.terms(features, *values).numpy()
    expected = (features * tape.gradient(logit, found).numpy()).sum(-1) * np.prod(features.shape[1:3])
    assert np.ptp(expected) > 0
    np.testing.assert_allclose(maps, expected, atol=1e-5 * np.abs(expected).max())


def kinds(model: keras.Model) -> set[tuple]:
    """The kinds of layers of a network, with what changes their operators in ONNX."""
    configs = [(type(layer).__name__, layer.get_config()) for layer in flatten_layers(model)]
    return {(kind, *(str(config.get(key)) for key in ("activation", "padding", "strides"))) for kind, config in configs}


def test_the_exported_have_every_kind_of_layer(described):
    found = {name: kinds(described(name).model) for name in DESCRIBED}
    assert set().union(*found.values()) == set().union(*(found[name] for name in EXPORTED))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "timm-clip" else pytest.mark.slow) for name in sorted(EXPORTED)]
)
def test_an_export_scores_as_in_pytorch(tmp_path, described, name):
    """Each operator of the networks has its like in ONNX; test_published.py runs the command."""
    case, output = CASES[name], tmp_path / "d.onnx"
    model, traits = described(name)
    export_onnx(model, output, traits)
    found = Detector.load(output).network.scores(images(case["side"]))
    np.testing.assert_allclose(found, case["scores"], atol=TOLERANCE)


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
        (DESCRIPTION.replace("0.229", "0"), "deviation.0: found 0"),
        (DESCRIPTION.replace("0.485", "nan"), "mean.0: found nan"),
        ("no toml", r"cannot be read as \.toml"),
        (f"a = {'[' * 5000}{']' * 5000}", "nested too deep"),
        (f"image_size = {'9' * 5000}", "thousands of digits"),
        (DESCRIPTION + "more = 1", "more"),
        (DESCRIPTION.replace('licence = "of the house"', ""), "licence: missing"),
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

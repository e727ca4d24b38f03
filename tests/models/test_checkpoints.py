"""Detectors of other projects score as in their own frameworks, from the files that their authors publish."""

import json
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

from deepfake_cli.errors import ModelError
from deepfake_cli.models.checkpoints import FAMILIES, read_checkpoint
from deepfake_cli.models.heat import heat_of
from deepfake_cli.models.meso import meso4, meso_inception4
from tests.models.reference.numbers import images, numbers, state

HERE = Path(__file__).parent / "reference"
CASES = json.loads((HERE / "reference.json").read_text())
TOLERANCE = 1e-4  # of scores
NAMES = [name for name, case in CASES.items() if case["family"] in FAMILIES]
UNUSED = {  # of DeepfakeBench's Xception: tensors of its file that no score depends on
    "backbone.adjust_channel.0.weight": np.zeros((512, 2048, 1, 1), np.float32),
    "backbone.bn1.num_batches_tracked": np.zeros((), np.int64),
}
SLOW = [pytest.param(name, marks=pytest.mark.slow if name.endswith("full") else ()) for name in NAMES]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Writes the checkpoint of a case, with some of its tensors changed."""

    def write(name: str, **changes: np.ndarray | None) -> Path:
        tensors = {**state(CASES[name]["shapes"], CASES[name]["gain"]), **changes}
        path = tmp_path_factory.mktemp("published") / f"{name}.safetensors"
        save_file({key: values for key, values in tensors.items() if values is not None}, path)
        return path

    return write


def scores(model: keras.Model, side: int, count: int = 3) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(images(side)[:count].astype("float32"), training=False))[:, 0]


@pytest.mark.parametrize("name", SLOW)
def test_scores_equal_those_of_the_reference_in_pytorch(checkpoint, name):
    """With weights made from the names of the tensors; the reference's scores were written by make_reference.py.

    One image is enough for a network of the published size: its kinds of layers are in the small one.
    """
    case, count = CASES[name], 1 if name.endswith("full") else 3
    unused = UNUSED if name.startswith("deepfakebench-xception") else {}
    model, traits = read_checkpoint(checkpoint(name, **unused), case["family"])
    assert traits.image_size == model.input_shape[1] == case["side"]
    assert np.ptp(case["scores"]) > 20 * TOLERANCE, "the scores tell the images apart"
    np.testing.assert_allclose(scores(model, case["side"], count), case["scores"][:count], atol=TOLERANCE)


def write_mesonet(path: Path, build) -> keras.Model:
    """A file as Keras 2 wrote it: weights by layer, `layer_names` in its order; returns the model in which 1 is real."""
    model = build((256, 256, 3), None)
    for layer in model.layers:
        roles = {4: ("gamma", "beta", "mean", "running_var"), 2: ("kernel", "bias")}.get(len(layer.weights), ())
        layer.set_weights(
            [numbers(f"{layer.name}.{role}", tuple(w.shape)) for role, w in zip(roles, layer.weights, strict=True)]
        )
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"2.1.5"
        for layer in model.layers:
            names = [f"{layer.name}/{weight.name}:0" for weight in layer.weights]
            group = file.create_group(layer.name)
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, values in zip(names, layer.get_weights(), strict=True):
                group[name] = values
    return model


@pytest.mark.parametrize("build", [meso4, meso_inception4])
def test_a_score_of_mesonet_is_negated(tmp_path, build):
    """There 1 is real."""
    theirs = write_mesonet(tmp_path / "Meso_DF.h5", build)
    model, traits = read_checkpoint(tmp_path / "Meso_DF.h5", "mesonet")
    np.testing.assert_allclose(scores(model, 256), 1 - scores(theirs, 256), atol=1e-5)
    assert traits.card["trained_on"].startswith("Deepfakes") and traits.terms == ""


@pytest.mark.slow
def test_every_family_has_a_card(checkpoint, tmp_path):
    """With the file's SHA-256; and what its licence forbids is said."""
    write_mesonet(tmp_path / "Meso4_DF.h5", meso4)
    files = {case["family"]: name for name, case in CASES.items() if name.endswith("small")}
    for family in FAMILIES:
        path = checkpoint(files[family]) if family in files else tmp_path / "Meso4_DF.h5"
        card = read_checkpoint(path, family).traits.card
        assert all(card[key] for key in ("name", "authors", "paper", "licence", "trained_on")), family
        assert card["source"].startswith("https://") and card["file"] == path.name and len(card["sha256"]) == 64


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sbi-small", "gend-small"])  # convolutions, and what is loaded by layer
def test_a_checkpoint_that_is_not_whole_is_refused(checkpoint, name):
    """A tensor that is missing, too many, of another shape or not finite: the message names the file and the tensor."""
    shapes, family = CASES[name]["shapes"], CASES[name]["family"]
    last = list(shapes)[-2]
    for changes, said in (
        ({last: None}, last),
        ({"more.weight": np.zeros(3, np.float32)}, "more.weight"),
        ({last: np.zeros((5, 7), np.float32)}, last),
        ({last: np.full(shapes[last], np.nan, np.float32)}, "not finite"),
    ):
        path = checkpoint(name, **changes)
        with pytest.raises(ModelError, match=r"safetensors") as error:
            read_checkpoint(path, family)
        assert said in str(error.value) and str(path) in str(error.value)


@pytest.mark.slow
def test_numbers_of_another_kind_are_refused(checkpoint, tmp_path):
    """Types that NumPy lacks or that are no real numbers, and statistics from which no score follows."""
    name = "deepfakebench-xception-small"
    for changes, said in (
        ({"backbone.last_linear.bias": np.zeros(1, np.float32)}, "two classes"),
        ({"backbone.last_linear.bias": np.zeros(2, np.complex64)}, "complex64"),
        (
            {"backbone.bn1.running_var": np.full(CASES[name]["shapes"]["backbone.bn1.running_var"], -9, np.float32)},
            "score of nan",
        ),
    ):
        with pytest.raises(ModelError, match=said):
            read_checkpoint(checkpoint(name, **changes), "deepfakebench")
    for kind in ("F8_E4M3", "F8_E5M2", "F9"):
        header = json.dumps({"a": {"dtype": kind, "shape": [4], "data_offsets": [0, 4]}}).encode()
        (tmp_path / "a.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
        with pytest.raises(ModelError, match=r"a\.safetensors: not a safetensors file, or damaged"):
            read_checkpoint(tmp_path / "a.safetensors", "sbi")


def test_another_file_is_refused(checkpoint, tmp_path):
    """One of another family, a damaged one, one of another format, a missing one: no traceback."""
    (tmp_path / "broken.tar").write_bytes(b"PK\x03\x04 none")
    (tmp_path / "broken.safetensors").write_bytes(b"none")
    (tmp_path / "pointer.pth").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n")
    (tmp_path / "page.h5").write_text("<!DOCTYPE html><title>Virus scan warning</title>")
    (tmp_path / "folder.pth").mkdir()
    meso4((256, 256, 3), None).save(tmp_path / "own.h5")  # there a high score is fake already
    write_mesonet(tmp_path / "Meso4_DF.h5", meso4)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["a"] = np.zeros(3)
    said = {"pointer.pth": "Git LFS", "page.h5": "a web page", "folder.pth": "a folder", "none.pth": "no such file"}
    files = ("broken.tar", "broken.safetensors", "Meso4_DF.h5", "other.h5", "own.h5", *said)
    for path in (*map(tmp_path.joinpath, files), HERE / "zip.pth"):
        for family in FAMILIES:
            if (path.name, family) != ("Meso4_DF.h5", "mesonet"):
                with pytest.raises(ModelError, match=f"{path.name}.*{said.get(path.name, '')}"):
                    read_checkpoint(path, family)


def test_heat_of_two_dense_layers_is_the_logit(tmp_path):
    """The mean of a map, plus what does not depend on the position, is the logit, for each image."""
    write_mesonet(tmp_path / "Meso4_DF.h5", meso4)
    model, _ = read_checkpoint(tmp_path / "Meso4_DF.h5", "mesonet")
    heat = heat_of(model)
    hidden, last = model.layers[-4], model.layers[-1]
    output, *values = keras.Model(model.inputs, [model.output, *heat.tensors])(images(256).astype("float32"))
    before = values[1].numpy()
    rest = np.where(before > 0, 1, 0.1) * hidden.bias.numpy() @ last.kernel.numpy()[:, 0] + last.bias.numpy()
    scored = output.numpy()[:, 0]
    maps = heat.terms(*values).numpy()
    assert maps.shape == (3, 8, 8)
    np.testing.assert_allclose(maps.mean((1, 2)) + rest, np.log(scored / (1 - scored)), atol=1e-4)


def test_heat_of_a_class_token_is_what_the_last_attention_adds(checkpoint):
    """The terms of all patches and of the class token itself sum to the attention's output, seen from the head."""
    model, _ = read_checkpoint(checkpoint("gend-small"), "gend")
    heat = heat_of(model)
    attention = [layer for layer in model.layers if isinstance(layer, keras.layers.MultiHeadAttention)][-1]
    values = keras.Model(model.inputs, heat.tensors)(images(56).astype("float32"))
    tokens = values[0]
    output, shares = attention(tokens, tokens, return_attention_scores=True)
    direct = model.get_layer("norm_out").gamma.numpy() * model.get_layer("probability").kernel.numpy()[:, 0]
    direct -= direct.mean()
    weights = attention.get_weights()
    own = np.einsum("bd,dhk->bhk", tokens[:, 0], weights[4]) * shares.numpy()[:, :, 0, :1]
    constant = weights[7] + np.einsum("hk,hkd->d", weights[5], weights[6])
    expected = (output.numpy()[:, 0] - np.einsum("bhk,hkd->bd", own, weights[6]) - constant) @ direct
    scale = values[1].numpy()[:, 0].std(-1) * np.linalg.norm(values[2].numpy(), axis=-1)
    maps = heat.terms(*values).numpy()
    assert maps.shape == (3, 4, 4) and np.ptp(maps) > 0
    np.testing.assert_allclose(maps.mean((1, 2)) * scale, expected, atol=1e-4)

"""A model that is no detector is refused by every command that takes one, in a sentence that says what mends it."""

import keras
import pytest
from keras import layers

from deepfake_cli.errors import ModelError
from deepfake_cli.models import build_model, load_model
from deepfake_cli.models.contract import check


def network(shape, activation="sigmoid", columns=1, batch=None):
    """A model of one convolution, for images of this shape."""
    inputs = keras.Input(shape, batch_size=batch)
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3)(layers.Rescaling(1 / 255)(inputs)))
    return keras.Model(inputs, layers.Dense(columns, activation, name="probability")(pooled))


def scaled(shape):
    """A model that ends without an activation of a known name, with values beyond 1."""
    inner = network(shape)
    return keras.Model(inner.inputs, layers.Rescaling(3.0, offset=2.0)(inner.outputs[0]))


def pair(shape):
    one, two = keras.Input(shape), keras.Input(shape)
    pooled = layers.GlobalAveragePooling2D()(layers.Add()([one, two]))
    return keras.Model([one, two], layers.Dense(1, "sigmoid", name="probability")(pooled))


MISFITS = {
    "any size": (lambda: network((None, None, 3)), "takes (None, None, None, 3); a detector takes square RGB images"),
    "not square": (lambda: network((48, 64, 3)), "takes (None, 48, 64, 3)"),
    "grey": (lambda: network((64, 64, 1)), "takes (None, 64, 64, 1)"),
    "channels first": (lambda: network((3, 64, 64)), "takes (None, 3, 64, 64)"),
    "fixed batch": (lambda: network((64, 64, 3), batch=4), "takes (4, 64, 64, 3)"),
    "two inputs": (lambda: pair((64, 64, 3)), "takes [(None, 64, 64, 3), (None, 64, 64, 3)]"),
    "two columns": (
        lambda: network((64, 64, 3), "softmax", 2),
        "returns (None, 2); a detector returns one probability",
    ),
    "a logit": (lambda: network((64, 64, 3), None), "ends with the activation linear"),
    "softmax of one": (lambda: network((64, 64, 3), "softmax"), "ends with the activation softmax"),
    "tanh": (lambda: network((64, 64, 3), "tanh"), "ends with the activation tanh"),
    "beyond 1": (lambda: scaled((64, 64, 3)), "returns a score of"),
}
COMMANDS = {  # every command that takes a model, with the file as {}
    "evaluate": ("evaluate", "list.csv", "{}"),
    "evaluate --robustness": ("evaluate", "list.csv", "{}", "--robustness-changes", "blur"),
    "export": ("export", "{}"),
    "train --snapshot": ("train", "list.csv", "--no-evaluation", "--snapshot", "{}", "--epochs", 2),
    "train --weights": ("train", "list.csv", "--no-evaluation", "--model", "meso4", "--weights", "{}", "--epochs", 2),
    "train --model": ("train", "list.csv", "--no-evaluation", "--model", "{}", "--epochs", 2),
    "calibrate": ("calibrate", "list.csv", "{}"),
    "matrix": ("matrix", "--snapshots", "a={}", "--test", "b=list.csv"),
    "predict": ("predict", "list.csv", "--detector", "{}"),
    "app": ("app", "--detector", "{}", "--no-open", "--port", 0),
}


@pytest.mark.parametrize("name", MISFITS)
def test_a_misfit_is_refused_when_loaded_and_when_built(name, tmp_path, monkeypatch):
    make, said = MISFITS[name]
    path = tmp_path / "misfit.keras"
    make().save(path)
    with pytest.raises(ModelError) as caught:
        load_model(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: {said}") and ("build it with" in text or "end it with" in text)
    monkeypatch.setitem(globals(), "made", lambda input_shape, weights: make())
    with pytest.raises(ModelError) as caught:
        build_model(f"{__name__}:made", image_size=64)
    assert said in str(caught.value)


def test_a_detector_of_any_layers_is_taken():
    inputs = keras.Input((64, 64, 3))
    logit = layers.Dense(1)(layers.GlobalAveragePooling2D()(layers.Rescaling(1 / 255)(inputs)))
    for end in (keras.ops.sigmoid, layers.Activation("sigmoid")):
        check(keras.Model(inputs, end(logit)), "mine")
    check(keras.Sequential([keras.Input((64, 64, 3)), layers.Flatten(), layers.Dense(1, "hard_sigmoid")]), "mine")


@pytest.mark.parametrize("suffix", [".keras", ".KERAS", ".h5", ".H5", ".hdf5", ".HDF5"])
def test_suffixes_in_either_case_are_snapshots(suffix, tmp_path):
    model = network((64, 64, 3))
    plain = tmp_path / f"model{suffix.lower()}"
    model.save(plain)
    plain.rename(path := plain.with_name(f"Copy{suffix}"))
    assert load_model(path).input_shape == (None, 64, 64, 3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, frames_of_uadfv):
    """Three misfits beside a recipe, and a list with twelve images."""
    folder = tmp_path_factory.mktemp("misfits")
    for name in ("any size", "not square", "grey"):
        MISFITS[name][0]().save(folder / f"{name.replace(' ', '_')}.keras")
    rows = (frames_of_uadfv / "manifest.csv").read_text().splitlines()
    header = rows[0].split(",")
    cells = [dict(zip(header, row.split(","), strict=False)) for row in rows[1:]]
    lines = ["path,label,dataset,video,group"]
    for label in ("0", "1"):
        mine = [row["path"] for row in cells if row["label"] in (label, ("real", "fake")[int(label)])]
        lines += [f"{frames_of_uadfv / path},{label},d,{label}{n},{label}{n}" for n, path in enumerate(mine[:6])]
    (folder / "list.csv").write_text("\n".join(lines) + "\n")
    entry = ", ".join(f'"{path.name}": {{"epoch": 1}}' for path in folder.glob("*.keras"))
    (folder / "recipe.json").write_text(f'{{"snapshots": {{{entry}}}}}')
    return folder


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_refuses_a_misfit_before_its_work(name, folder, deepfake):
    path = folder / "not_square.keras"
    said = deepfake(*(str(word).format(path) for word in COMMANDS[name]), cwd=folder, check=1).stderr
    said = " ".join(said.split())
    assert "not_square.keras" in said and ("Error" in said or "Every" in said or "failed" in said)
    assert name.startswith(("predict", "app", "train --model", "train --weights")) or "takes (None, 48, 64, 3)" in said
    assert not (folder / "runs").exists() and not (folder / "evaluation" / "metrics.json").exists()

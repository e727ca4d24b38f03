"""Trained layers of a model, in stages, and resume in each stage."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from pydantic import ValidationError

from deepfake_cli.commands.train import train
from deepfake_cli.config import Train
from deepfake_cli.errors import ModelError
from deepfake_cli.models import build_model, load_model, thaw, unfrozen
from deepfake_cli.models.files import read_model
from deepfake_cli.training.events import Begun, Stepped
from tests import processes
from tests.models.test_models import TINY_VIT

STEPS, SIDE = 6, 32


def attentive(input_shape, weights):
    """Batch and layer normalisation, attention, and a nested model."""
    inputs = keras.Input(input_shape)
    start = layers.Conv2D(8, 8, strides=8)(layers.Rescaling(1 / 255)(inputs))
    nested = keras.Sequential([layers.BatchNormalization(name="batch"), layers.ReLU()], name="nested")
    x = layers.LayerNormalization(name="layer")(layers.Reshape((-1, 8))(nested(start)))
    x = layers.GlobalAveragePooling1D()(layers.MultiHeadAttention(2, 4, name="attention")(x, x))
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid", name="probability")(layers.Dropout(0.2)(x)))


class Hidden(layers.Layer):
    """A layer that is saved without the state of the layer inside."""

    def __init__(self, **options):
        super().__init__(**options)
        self.inside = layers.LayerNormalization()

    def call(self, x):
        return self.inside(x)


def hiding(input_shape, weights):
    inputs = keras.Input(input_shape)
    x = layers.GlobalAveragePooling2D()(Hidden(name="mine")(inputs))
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid", name="probability")(x))


def built(function, tune: str) -> keras.Model:
    keras.utils.set_random_seed(0)
    return build_model(f"{__name__}:{function.__name__}", image_size=SIDE, weights=None, tune=tune)


def trained(model: keras.Model) -> set[str]:
    return {weight.path.split("/")[-2] for weight in model.trainable_weights}


@pytest.mark.slow
def test_tune_norm_trains_normalisation_and_head_also_after_loading(tmp_path):
    model = built(attentive, "norm")
    assert trained(model) == {"batch", "layer", "probability"}
    assert unfrozen(model) == 4 * 8 + 2 * 8 + 9 < model.count_params()  # batch normalisation updates its averages, too
    before = [np.array(weight) for weight in model.get_layer("nested").weights]
    model(np.full((2, SIDE, SIDE, 3), 200.0), training=True)
    changed = [not np.array_equal(*pair) for pair in zip(before, model.get_layer("nested").weights, strict=True)]
    assert changed == [False, False, True, True]
    model.compile("adam", "binary_crossentropy", jit_compile=False)
    model.train_on_batch(np.ones((2, SIDE, SIDE, 3)), np.array([[0.0], [1.0]]))
    model.save(tmp_path / "model.keras")
    again = read_model(
        tmp_path / "model.keras", compile=True
    )  # Keras alone unfreezes the attention, and drops the optimizer
    assert trained(again) == trained(model)
    for one, other in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one, other)
    assert unfrozen(load_model(tmp_path / "model.keras")) == unfrozen(model)


def test_tune_norm_of_the_transformer_trains_layer_normalisation():
    model = build_model(TINY_VIT, image_size=SIDE, weights=None, tune="norm")
    assert all("norm" in weight.path or "probability" in weight.path for weight in model.trainable_weights)
    assert unfrozen(model) == 6 * 64 + 33


def test_models_that_cannot_be_tuned_are_refused():
    with pytest.raises(ModelError, match=r"inside the layer 'mine', a Hidden.*--tune head"):
        built(hiding, "norm")
    assert trained(built(hiding, "head")) == {"probability"}
    with pytest.raises(ModelError, match=r"vgg16 has no normalisation layers.*--tune head"):
        build_model("vgg16", image_size=SIDE, weights=None, tune="norm")


@pytest.mark.slow
def test_optimizer_of_other_weights_is_refused(tmp_path):
    model = built(attentive, "head")
    model.compile("adam", "binary_crossentropy", jit_compile=False)
    model.train_on_batch(np.ones((2, SIDE, SIDE, 3)), np.array([[0.0], [1.0]]))
    thaw(model)  # without compiling again
    model.save(tmp_path / "odd.keras")
    with pytest.raises(ModelError, match=r"odd\.keras: the optimizer does not match"):
        read_model(tmp_path / "odd.keras", compile=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"freeze_backbone": True, "tune": "all"}, "cannot be combined"),
        ({"freeze_backbone": True, "tune": "norm"}, "cannot be combined"),
        ({"unfreeze_epoch": 2}, "nothing to unfreeze"),
        ({"snapshot": "a.keras", "tune": "norm"}, "snapshot and tune"),
    ],
)
def test_contradicting_settings_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        Train(**settings)


def test_freeze_backbone_means_tune_head():
    assert Train(freeze_backbone=True).trained == Train(tune="head").trained == "head"
    assert Train(freeze_backbone=True, tune="head").trained == "head" and Train().trained == "all"


@pytest.fixture(scope="module")
def lists(tmp_path_factory, frames_of_uadfv) -> Path:
    folder = tmp_path_factory.mktemp("lists")
    processes.run("make-csv", "uadfv", "--imgdir", frames_of_uadfv, "--ratio", 0.67, cwd=folder)
    return folder / "csv"


def run(lists: Path, name: str, stop: tuple[int, int] | None = None, **settings) -> tuple[Path, list[Begun]]:
    """Begin or resume a run, and interrupt it at `stop`, an (epoch, step), if given."""
    began = []

    def progress(event):
        if isinstance(event, Begun):
            began.append(event)
        if isinstance(event, Stepped) and (event.epoch, event.step) == stop:
            raise KeyboardInterrupt

    common = {"train_csv": [lists / "train" / "train.csv"], "val_annotations": lists / "val" / "validation.csv"}
    common |= {"runs_dir": lists.parent / "runs"}
    if not settings.get("resume"):
        common |= {"model": f"{__name__}:attentive", "image_size": SIDE, "batch_size": 4, "steps": STEPS, "run": name}
        common |= {"tune": "norm", "unfreeze_epoch": 1, "lr": 1e-2, "onnx": False}
    try:
        train(Train(**common | settings), progress)
    except KeyboardInterrupt:
        assert stop
    return lists.parent / "runs" / name, began


@pytest.mark.slow
def test_resume_in_stages_equals_uninterrupted(lists):
    """Interrupted in both stages and stopped between them, with an average of weights."""
    whole, (begun,) = run(lists, "whole", epochs=3, ema=0.9)
    assert begun.trainable < begun.parameters
    first, second = (
        read_model(whole / f"tests.models.test_tune_attentive_csv_0{n}.keras", compile=True) for n in (1, 2)
    )
    start = built(attentive, "norm")
    frozen = [i for i, weight in enumerate(start.weights) if weight.path.split("/")[-2] not in trained(start)]
    assert len(frozen) > 8
    assert all(np.array_equal(start.weights[i], first.weights[i]) for i in frozen)
    assert not any(
        np.array_equal(first.weights[i], second.weights[i]) for i in frozen if "bias" not in first.weights[i].path
    )
    assert (
        int(first.optimizer.iterations) == int(second.optimizer.iterations) == STEPS
    )  # a new optimizer, of all weights

    run(lists, "cut", stop=(1, 4), save_steps=3, epochs=3, ema=0.9)  # frozen
    run(lists, "cut", resume="cut", epochs=1)  # to the end of the first stage
    run(lists, "cut", resume="cut", epochs=3, stop=(2, 4), save_steps=3)  # unfrozen
    cut, (begun,) = run(lists, "cut", resume="cut", epochs=3)
    assert begun.trainable == begun.parameters
    for number in ("01", "02", "03"):
        one, other = (
            read_model(each / f"tests.models.test_tune_attentive_csv_{number}.keras", compile=True)
            for each in (whole, cut)
        )
        pairs = zip([*one.weights, *one.optimizer.variables], [*other.weights, *other.optimizer.variables], strict=True)
        assert all(np.array_equal(*pair) for pair in pairs), number


@pytest.mark.slow
def test_train_reports_the_trained_parameters(lists, deepfake):
    out = deepfake(
        "train", lists / "train" / "train.csv", "--val-annotations", lists / "val" / "validation.csv", "--model", "meso4",
        "--no-onnx", "--image-size", 32, "--no-weights", "--freeze-backbone", "--epochs", 1, "--steps", 1,
    ).stdout  # fmt: skip
    assert "meso4: 11,945 parameters, 17 of them trained, 32 px" in out

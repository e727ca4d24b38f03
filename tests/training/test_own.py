"""Keras objects of a user's own: what cannot be combined with them is said before training."""

import keras
import pytest

from deepfake_cli import train
from deepfake_cli.errors import ConfigError, DeepfakeError


@pytest.fixture(scope="module")
def model():
    return keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(1)])


@pytest.mark.parametrize(
    ("given", "options", "said"),
    [
        ("model", {"resume": "last"}, "model: .*cannot be combined with resume, snapshot or weights"),
        ("model", {"weights": "w.h5"}, "model: .*cannot be combined with resume, snapshot or weights"),
        ("model", {"cluster": "auto"}, "cluster: Keras objects cannot be sent"),
        ("optimizer", {"snapshot": "best.keras"}, "optimizer: it cannot be combined with resume or snapshot"),
        ("optimizer", {"unfreeze_epoch": 1, "tune": "head"}, "optimizer: it cannot be combined with unfreeze_epoch"),
        ("schedule", {}, "optimizer: expected a constant learning rate"),
    ],
)
def test_what_cannot_be_combined_is_said_before_training(tmp_path, monkeypatch, model, given, options, said):
    monkeypatch.chdir(tmp_path)
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    own = {
        "model": {"model": model},
        "optimizer": {"optimizer": keras.optimizers.SGD(0.1)},
        "schedule": {"optimizer": keras.optimizers.SGD(schedule)},
    }
    with pytest.raises(ConfigError, match=said):
        train(**own[given], **options)
    assert not list(tmp_path.iterdir())


def test_a_missing_list_is_named_before_anything_is_trained(tmp_path, monkeypatch, model):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DeepfakeError, match=r"train\.csv"):
        train(model=model)


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"model": 3}, "model: expected a name or a Keras model. Received: 3"),
        ({"optimizer": "adam"}, "optimizer: expected a Keras optimizer. Received: 'adam'"),
        ({"callbacks": keras.callbacks.TerminateOnNaN()}, "callbacks: expected a list. Received: TerminateOnNaN"),
    ],
)
def test_what_is_no_keras_object_is_said(own, said):
    with pytest.raises(ConfigError, match=said):
        train(**own)

"""Which training steps XLA compiles."""

import keras
import pytest

from deepfake_cli.config import Train
from deepfake_cli.distributed.devices import Plan
from deepfake_cli.training.xla import compiles, without_xla

CPU, GPU = Plan("cpu", (), 1, False, 1, ""), Plan("gpu", (0,), 1, True, 1, "")
SEVERAL = Plan("mirrored", (0, 1), 2, True, 1, "")


def model_of(layer: keras.layers.Layer) -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    inner = keras.Model(inputs, layer(inputs))  # of a pretrained backbone
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inner(inputs)))
    model.compile("adam", "mse", jit_compile=True)
    return model


PLAIN = model_of(keras.layers.Conv2D(4, 3))


@pytest.mark.parametrize(
    ("plan", "settings", "own", "compiled"),
    [
        (GPU, {}, False, True),
        (GPU, {"forgery": "self_blend"}, False, True),
        (CPU, {}, False, False),
        (SEVERAL, {}, False, False),
        (GPU, {}, True, False),
        (GPU, {"model": "own:build"}, False, False),
        (GPU, {"forgery": "self_blend,own:forge"}, False, False),
        (GPU, {"degradation": "own:degrade"}, False, False),
        (GPU, {"xla": "off"}, False, False),
        (CPU, {"xla": "on"}, False, True),
        (GPU, {"xla": "on"}, True, True),
    ],
)
def test_xla_follows_the_device_and_leaves_code_of_users_alone(plan, settings, own, compiled):
    assert compiles(Train(**settings), plan, PLAIN, own=own) is compiled


@pytest.mark.parametrize("layer", [keras.layers.DepthwiseConv2D(3), keras.layers.SeparableConv2D(4, 3)])
def test_models_with_depthwise_convolutions_are_compiled_on_request_only(layer):
    model = model_of(layer)
    assert not compiles(Train(), GPU, model)
    assert compiles(Train(xla="on"), GPU, model)


def test_xla_is_off_in_the_block_only():
    with without_xla(PLAIN):
        assert PLAIN.jit_compile is False
    assert PLAIN.jit_compile is True

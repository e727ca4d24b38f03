"""Which training steps XLA compiles."""

import keras
import pytest
import tensorflow as tf

from deepfake_cli.config import Train
from deepfake_cli.distributed.devices import Plan
from deepfake_cli.errors import DeviceError
from deepfake_cli.training.xla import compiles, refused, without_xla

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


def test_several_replicas_are_refused():
    with pytest.raises(DeviceError, match="2 replicas: leave out --xla on"):
        compiles(Train(xla="on"), SEVERAL, PLAIN)
    assert not compiles(Train(xla="off"), SEVERAL, PLAIN)


def test_a_layer_that_xla_cannot_compile_ends_in_one_line():
    class Own(keras.layers.Layer):
        """A layer of a user."""

        def call(self, images):
            return keras.ops.reshape(tf.numpy_function(lambda x: x, [images], tf.float32), (-1, 8, 8, 3))

        def compute_output_shape(self, shape):
            return shape

    model = model_of(Own(name="own"))
    with pytest.raises(tf.errors.OpError) as caught:
        model.train_on_batch(tf.zeros((2, 8, 8, 3)), tf.zeros((2, 3)))
    assert "PyFunc. Train it with --xla off" in str(refused(caught.value, model))
    assert refused(ValueError("another fault"), model) is None


def test_xla_is_off_in_the_block_only():
    with without_xla(PLAIN):
        assert PLAIN.jit_compile is False
    assert PLAIN.jit_compile is True

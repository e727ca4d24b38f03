"""Grad-CAM marks the evidence, for every kind of model."""

import keras
import numpy as np
import pytest
from keras import layers

from deepfake_cli.errors import ModelError
from deepfake_cli.models import build_model
from deepfake_cli.models.grad_cam import heat_maps

SMALL = {
    "mobilenet_v2": 96, "mobilenet_v3_small": 96, "efficientnet_lite0": 96, "vgg16": 64,
    "resnet50": 64, "meso4": 64, "meso_inception4": 64, "vit_clip_b16": 64,
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "side"),
    [
        pytest.param(*each, marks=() if each[0] in ("meso4", "efficientnet_lite0") else pytest.mark.slow)
        for each in SMALL.items()
    ],
)
def test_maps_have_the_size_of_the_images(name, side):
    keras.utils.set_random_seed(0)
    model = build_model(name, image_size=side, weights=None)
    images = np.random.default_rng(0).integers(0, 256, (3, side, side, 3), np.uint8)
    maps = heat_maps(model, images)
    assert maps.shape == (3, side, side) and maps.dtype == np.float32
    assert np.isfinite(maps).all() and maps.min() >= 0 and maps.max() <= 1
    halves = heat_maps(model, images, threshold=0.0).max(), heat_maps(model, images, threshold=1.0).max()
    assert max(halves) == 1  # there is evidence for one class or the other


def bright_is_fake(gain: float, end: str = "dense") -> keras.Model:
    """A model that predicts fake for bright images: the mean after one convolution of ones."""
    inputs = keras.Input((32, 32, 3))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Conv2D(1, 4, strides=4, kernel_initializer="ones", name="evidence")(x)
    x = layers.GlobalAveragePooling2D()(x)
    start = {
        "kernel_initializer": keras.initializers.Constant(gain),
        "bias_initializer": keras.initializers.Constant(-1),
    }
    if end == "dense":
        return keras.Model(inputs, layers.Dense(1, "sigmoid", name="probability", **start)(x))
    x = layers.Dense(1, **start)(x)
    return keras.Model(inputs, layers.Activation(end)(x) if end == "sigmoid" else keras.ops.sigmoid(x))


@pytest.mark.parametrize("end", ["dense", "sigmoid", "operation"])
def test_map_marks_the_evidence(end):
    image = np.zeros((1, 32, 32, 3), np.uint8)
    image[0, :8, 24:] = 255
    model = bright_is_fake(1.0, end)
    assert model.predict(image, verbose=0)[0, 0] > 0.5
    (found,) = heat_maps(model, image)
    assert found[:8, 24:].mean() > 0.8 and found[16:].max() == 0 and found[:, :16].max() == 0


def test_certain_model_still_has_a_map():
    """The probability is 1 in float32, and its gradient 0."""
    image = np.zeros((1, 32, 32, 3), np.uint8)
    image[0, :8, :8] = 255
    model = bright_is_fake(1000.0)
    assert model.predict(image, verbose=0)[0, 0] == 1
    assert heat_maps(model, image)[0, :4, :4].min() == 1


def test_map_of_a_real_prediction_marks_evidence_for_real():
    image = np.zeros((1, 32, 32, 3), np.uint8)
    image[0, 24:, :8] = 255
    model = bright_is_fake(-10.0)  # now bright is real
    assert model.predict(image, verbose=0)[0, 0] < 0.5
    assert heat_maps(model, image)[0, 28:, :4].min() == 1
    assert heat_maps(model, image, threshold=0.0).max() == 0  # no evidence for fake


def test_frozen_model_in_half_precision_has_a_map():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = bright_is_fake(10.0)
    finally:
        keras.config.set_dtype_policy("float32")
    model.trainable = False
    image = np.zeros((2, 32, 32, 3), np.uint8)
    image[:, :8, :8] = 255
    assert heat_maps(model, image)[:, :4, :4].min() == 1


def test_nested_model_has_a_map():
    inside = keras.Input((32, 32, 3))
    backbone = keras.Model(inside, layers.Conv2D(1, 4, strides=4, kernel_initializer="ones")(inside))
    inputs = keras.Input((32, 32, 3))
    x = layers.GlobalAveragePooling2D()(backbone(layers.Rescaling(1 / 255)(inputs)))
    model = keras.Model(inputs, layers.Dense(1, "sigmoid", kernel_initializer="ones")(x))
    image = np.zeros((1, 32, 32, 3), np.uint8)
    image[:, :8, :8] = 255
    (found,) = heat_maps(model, image)
    assert found[:4, :4].min() == 1 and found[16:].max() == 0


def test_model_without_feature_map_is_refused():
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, layers.Dense(1, "sigmoid")(layers.Flatten()(inputs)))
    with pytest.raises(ModelError, match="no feature map"):
        heat_maps(model, np.zeros((1, 8, 8, 3), np.uint8))

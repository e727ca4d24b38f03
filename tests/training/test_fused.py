"""Batch normalisation and Adam as one operation compute what Keras does, and leave snapshots that plain Keras reads."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from deepfake_cli.training.fused import fuse

STEPS = 4


def model_of(optimizer: str, **options) -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(6, 3, use_bias=False, name="conv")(inputs)
    x = keras.layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name="images")(x)
    x = keras.layers.ReLU()(
        x
    )  # without it, normalisation would cancel the offset, whose gradient would be rounding alone
    x = keras.layers.Conv2D(6, 3, use_bias=False, name="conv_2")(x)
    x = keras.layers.BatchNormalization(scale=False, center=False, name="bare")(x)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.ReLU()(x))
    x = keras.layers.BatchNormalization(name="vectors")(x)
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid", name="probability")(x))
    made = getattr(keras.optimizers, optimizer)(1e-2, global_clipnorm=1.0, **options)
    model.compile(made, "binary_crossentropy")
    model.optimizer.build(model.trainable_variables)
    return model


def batch(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.random((6, 8, 8, 3), np.float32) * 3 - 1, random.integers(0, 2, (6, 1)).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize(("optimizer", "options"), [("Adam", {}), ("AdamW", {"weight_decay": 0.01, "use_ema": True})])
def test_training_is_the_same_as_in_plain_keras(optimizer, options):
    plain, faster = model_of(optimizer, **options), model_of(optimizer, **options)
    fuse(faster)
    for seed in range(STEPS):
        losses = [model.train_on_batch(*batch(seed)) for model in (plain, faster)]
        np.testing.assert_allclose(*losses, rtol=1e-5)
    for one, other in zip(plain.weights, faster.weights, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-3, atol=2e-5, err_msg=one.path)
    images, _ = batch(99)
    np.testing.assert_allclose(plain.predict(images, verbose=0), faster.predict(images, verbose=0), atol=1e-4)


def test_the_step_has_fewer_operations():
    def operations(model):
        step = tf.function(lambda data: model.train_step(data), autograph=False)
        return len(step.get_concrete_function(batch(0)).graph.as_graph_def().node)

    plain, faster = model_of("Adam"), model_of("Adam")
    fuse(faster)
    assert operations(faster) < 0.7 * operations(plain)


def test_a_frozen_layer_keeps_its_averages():
    model = model_of("Adam")
    model.get_layer("images").trainable = False
    model.compile(keras.optimizers.Adam(), "binary_crossentropy")
    fuse(model)
    before = model.get_layer("images").get_weights()
    model.train_on_batch(*batch(0))
    for one, other in zip(before, model.get_layer("images").get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_snapshot_is_one_of_plain_keras(tmp_path):
    model = model_of("Adam")
    fuse(model)
    model.train_on_batch(*batch(0))
    model.save(tmp_path / "m.keras")
    read = keras.models.load_model(tmp_path / "m.keras")
    assert "call" not in vars(read.get_layer("images")) and "update_step" not in vars(read.optimizer)
    images, _ = batch(1)
    np.testing.assert_allclose(read.predict(images, verbose=0), model.predict(images, verbose=0), atol=1e-5)
    for one, other in zip(read.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_masks_other_axes_and_subclasses_stay_as_they_are():
    class Own(keras.layers.BatchNormalization):
        """A layer of a user."""

    inputs = keras.Input((4, 4, 4))
    x = keras.layers.BatchNormalization(axis=1, name="rows")(inputs)
    model = keras.Model(inputs, Own(name="own")(x))
    model.compile("sgd", "mse")
    fuse(model)
    assert "call" not in vars(model.get_layer("own"))
    images = np.random.default_rng(0).random((5, 4, 4, 4), np.float32)
    found = model.get_layer("rows")(images, training=True)
    np.testing.assert_allclose(np.mean(found, axis=(0, 2, 3)), 0, atol=1e-5)

"""The private names of Keras that the package uses exist, and a missing one is reported with a release that has it."""

import keras
import pytest

from deepfake_cli.errors import ModelError
from deepfake_cli.models import keras_private


def test_installed_keras_has_all_private_names():
    missing = keras_private.missing()
    assert not missing, f"Keras {keras.__version__} changed: adapt models/keras_private.py to the loss of {missing}"


def test_missing_private_name_reports_a_supported_release():
    class Layer:
        """A layer of a Keras without the private names."""

    with pytest.raises(ModelError, match=rf"no Layer\._flatten_layers\. .*keras=={keras_private.TESTED}"):
        keras_private.flatten_layers(Layer())


def test_flatten_layers_reaches_nested_layers():
    inputs = keras.Input((4, 8))
    attention = keras.layers.MultiHeadAttention(2, 4)
    model = keras.Model(inputs, attention(inputs, inputs))
    assert set(keras_private.flatten_layers(attention)) < set(keras_private.flatten_layers(model))
    assert attention not in keras_private.flatten_layers(attention, include_self=False)

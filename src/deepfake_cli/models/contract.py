"""What a detector takes and returns, checked when a model is built or loaded: before any epoch, any scoring, any export."""

import warnings
from typing import Any

import keras
import numpy as np

from deepfake_cli.errors import ModelError
from deepfake_cli.models.head import PROBABILITY

SIDES = range(8, 4097)  # pixels
NO_PROBABILITY = ("linear", "relu", "tanh", "softmax")  # activations; the softmax of one column is always 1
TAKE = "a detector takes square RGB images, (batch, size, size, 3): build it with keras.Input((224, 224, 3))."
RETURN = (
    "a detector returns one probability per image, (batch, 1): end it with "
    f'keras.layers.Dense(1, activation="sigmoid", name="{PROBABILITY}").'
)


def check(model: keras.Model, source: str, *, run: bool = True) -> None:
    """Check the input and the output of a detector.

    Args:
        model: the model.
        source: its name or file, for the message.
        run: whether to judge two images too; a model of this package need not.

    Raises:
        ModelError: it takes other images than (batch, size, size, 3), or returns other values than (batch, 1) in 0..1.
    """
    takes: Any = getattr(model, "input_shape", None)
    returns: Any = getattr(model, "output_shape", None)
    if not _is_square_rgb(takes):
        raise ModelError(f"{source}: takes {takes or 'no fixed shape'}; {TAKE}")
    if returns != (None, 1):
        raise ModelError(f"{source}: returns {returns or 'no fixed shape'}; {RETURN}")
    last = (getattr(model, "operations", None) or model.layers)[-1]
    activation = getattr(getattr(last, "activation", None), "__name__", "")
    if activation in NO_PROBABILITY:
        raise ModelError(f"{source}: ends with the activation {activation}; {RETURN}")
    if run:
        _check_scores(model, source, int(takes[1]))


def _is_square_rgb(shape: Any) -> bool:
    return (
        isinstance(shape, tuple)
        and len(shape) == 4
        and shape[0] is None
        and shape[1] == shape[2]
        and shape[1] in SIDES
        and shape[3] == 3
    )


def _check_scores(model: keras.Model, source: str, side: int) -> None:
    """Judge noise and a white image."""
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3))
    images = np.stack([noise, np.full_like(noise, 255)]).astype("float32")
    try:
        with warnings.catch_warnings(action="ignore"):  # such as for inputs in a list of one
            scores = keras.ops.convert_to_numpy(model(images, training=False)).astype("float64")
    except Exception as error:  # noqa: BLE001 - layers of users may raise anything
        raise ModelError(f"{source}: cannot judge an image: {' '.join(str(error).split())[:300]}") from None
    bad = scores[~((scores >= 0) & (scores <= 1))]
    if scores.shape != (2, 1) or bad.size:
        found = f"a score of {bad[0]:.3g}" if bad.size else f"scores of shape {scores.shape}"
        raise ModelError(f"{source}: returns {found}; {RETURN}")

"""What an exported detector takes and returns, checked against its metadata before anything is allocated."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from deepfake_cli.errors import ModelError
from deepfake_cli.inference.runtimes.metadata import AGAIN, Traits


def check_input(shape: Sequence[Any], traits: Traits, path: object) -> None:
    """Check the input of a network.

    Args:
        shape: its dimensions; those that are not fixed are no numbers.
        traits: its metadata.
        path: of the file, for the message.

    Raises:
        ModelError: it is not (batch, size, size, 3) for the size in the metadata.
    """
    size = traits.image_size
    fixed = [number if isinstance(number, int) else None for number in shape]
    if len(fixed) != 4 or any(own not in (None, ours) for own, ours in zip(fixed, (None, size, size, 3), strict=True)):
        raise ModelError(
            f"{path}: takes images of shape {tuple(shape)}, but its metadata say (batch, {size}, {size}, 3). {AGAIN}"
        )


def probabilities(values: np.ndarray, path: object) -> np.ndarray:
    """The scores that a network returned, (n, 1), as float64 (n,).

    Raises:
        ModelError: they have another shape, or one is not in 0..1.
    """
    if values.ndim != 2 or values.shape[1] != 1:
        raise ModelError(f"{path}: returns scores of shape {values.shape}, expected (images, 1). {AGAIN}")
    scores = values[:, 0].astype(np.float64)
    bad = scores[~((scores >= 0) & (scores <= 1))]
    if bad.size:
        raise ModelError(f"{path}: returns the score {bad[0]:.3g}, expected a probability in 0..1. {AGAIN}")
    return scores

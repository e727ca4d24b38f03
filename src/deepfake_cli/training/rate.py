"""The learning rate, as a function of what is past: a resumed run takes up where it was."""

import math
from collections.abc import Sequence

LEAST_GAIN = 1e-4  # fall of the validation loss that counts as one


def learning_rate(losses: Sequence[float], base: float, *, patience: int, factor: float) -> float:
    """The rate after these validation losses: it falls by `factor` whenever `patience` epochs brought no lower loss.

    A function of the past alone, so that a resumed run takes up where it was.
    """
    best, waited = math.inf, 0
    for loss in losses:
        best, waited = (loss, 0) if loss < best - LEAST_GAIN else (best, waited + 1)
        if patience and waited >= patience:
            base, waited = base * factor, 0
    return base

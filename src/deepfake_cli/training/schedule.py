"""The learning rate, as a function of what is past: a resumed run takes up where it was."""

import math
from collections.abc import Sequence

from deepfake_cli.config import Train

LEAST_GAIN = 1e-4  # fall of the validation loss that counts as one


def learning_rate(settings: Train, losses: Sequence[float], done: float) -> float:
    """The rate of the next step.

    It rises in a straight line over the first `warmup` epochs; on a plateau it falls, or along half a cosine to 0
    (Loshchilov and Hutter, ICLR 2017, without restarts).

    Args:
        settings: see `deepfake_cli.config.Train`.
        losses: validation losses of the epochs that are done.
        done: epochs that are done, the current one in part.
    """
    if settings.schedule == "cosine":
        left = max(0.0, settings.epochs - max(done, settings.warmup)) / max(1e-9, settings.epochs - settings.warmup)
        rate = settings.lr * (1 - math.cos(math.pi * left)) / 2
    else:
        patience, factor = settings.reduce_lr_patience, settings.reduce_lr_factor
        rate = after_plateaus(losses, settings.lr, patience=patience, factor=factor)
    return rate * min(1.0, done / settings.warmup) if settings.warmup else rate


def moves_within_epochs(settings: Train) -> bool:
    """Whether the rate is another one at each step, and not at each epoch only."""
    return settings.schedule == "cosine" or settings.warmup > 0


def after_plateaus(losses: Sequence[float], base: float, *, patience: int, factor: float) -> float:
    """The rate after these validation losses: it falls by `factor` whenever `patience` epochs brought no lower loss."""
    best, waited = math.inf, 0
    for loss in losses:
        best, waited = (loss, 0) if loss < best - LEAST_GAIN else (best, waited + 1)
        if patience and waited >= patience:
            base, waited = base * factor, 0
    return base

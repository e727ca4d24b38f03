"""The learning rate as a function of past epochs, so that a resumed run continues with the same rate."""

import math
from collections.abc import Sequence

from deepfake_cli.config import Train

LEAST_GAIN = 1e-4  # the smallest drop of the validation loss that counts as an improvement


def learning_rate(settings: Train, losses: Sequence[float], done: float) -> float:
    """The learning rate of the next step.

    It rises linearly over the first `warmup` epochs. Then it falls at each plateau of the validation loss, or along half a
    cosine to 0 (Loshchilov and Hutter, ICLR 2017, without restarts).

    Args:
        settings: see `deepfake_cli.config.Train`.
        losses: validation losses of the finished epochs.
        done: finished epochs, with the finished part of the current one.
    """
    if settings.schedule == "cosine":
        left = max(0.0, settings.epochs - max(done, settings.warmup)) / max(1e-9, settings.epochs - settings.warmup)
        rate = settings.lr * (1 - math.cos(math.pi * left)) / 2
    else:
        patience, factor = settings.reduce_lr_patience, settings.reduce_lr_factor
        rate = after_plateaus(losses, settings.lr, patience=patience, factor=factor)
    return rate * min(1.0, done / settings.warmup) if settings.warmup else rate


def changes_every_step(schedule: str, warmup: float) -> bool:
    """Whether the learning rate changes at every step, not only between epochs."""
    return schedule == "cosine" or warmup > 0


def after_plateaus(losses: Sequence[float], base: float, *, patience: int, factor: float) -> float:
    """The learning rate after these validation losses: multiplied by `factor` after each `patience` epochs without a lower loss.

    Args:
        losses: one per epoch.
        base: the initial learning rate.
        patience: epochs; 0 to keep `base`.
        factor: in 0..1.
    """
    best, waited = math.inf, 0
    for loss in losses:
        best, waited = (loss, 0) if loss < best - LEAST_GAIN else (best, waited + 1)
        if patience and waited >= patience:
            base, waited = base * factor, 0
    return base

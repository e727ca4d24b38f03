"""Random numbers that depend on a seed alone: a run that is resumed sees the batches that it would have seen."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

MOST_DRAWS = 64  # of one layer and batch: batch n begins at draw 64 n
LARGEST = 2**31 - 1
DTYPE = "uint32" if keras.backend.backend() == "jax" else "int32"  # that a backend's random functions take


class Chance(keras.random.SeedGenerator):
    """The random numbers of one layer for one batch, without state.

    `keras.random` takes Python integers and generators as seeds, but no tensors. This is a generator whose n-th draw depends
    on its seed and n alone; it makes no variable, so it may be born inside of ``tf.function`` and ``tf.data``.

    Args:
        seed: an integer, or two as a sequence or an integer tensor of shape (2,), such as (seed of the run, number of the
            batch), at least 0.
        batch: images in the batch; every draw is made for each of them.
        salt: sets the draws of two layers apart that are given the same seed.
    """

    def __init__(self, seed: Any, batch: Any, salt: int = 0):
        pair = ops.convert_to_tensor((seed, 0) if isinstance(seed, int) else seed)
        first = ops.mod(ops.mod(pair[0], LARGEST // 2) + salt % (LARGEST // 2), LARGEST)
        second = ops.mod(pair[1], LARGEST // MOST_DRAWS) * MOST_DRAWS
        self.pair = ops.cast(ops.stack([first, second]), "int32")
        self.batch, self.drawn = batch, 0

    def next(self, ordered: bool = True) -> Any:
        """The seed of the next draw, (2,); `keras.random` asks for it."""
        self.drawn += 1
        return ops.cast(self.pair + ops.convert_to_tensor([0, self.drawn], dtype="int32"), DTYPE)

    def uniform(self, low: float = 0.0, high: float = 1.0, shape: Sequence[int] = (1, 1)) -> Any:
        """Evenly distributed numbers, float32 (batch, *shape) in low..high."""
        return keras.random.uniform((self.batch, *shape), low, high, dtype="float32", seed=self)

    def off(self, most: float, shape: Sequence[int] = (1, 1)) -> Any:
        """As `uniform`, in -most..most."""
        return self.uniform(-most, most, shape)

    def normal(self, shape: Sequence[int]) -> Any:
        """Normally distributed numbers of mean 0 and deviation 1, float32 (batch, *shape)."""
        return keras.random.normal((self.batch, *shape), dtype="float32", seed=self)

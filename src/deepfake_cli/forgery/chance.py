"""Random numbers that depend only on a seed, so that a resumed run sees the same batches."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

MAX_DRAWS = 64  # per layer and batch: batch n begins at draw 64 n
LARGEST = 2**31 - 1
DTYPE = "uint32" if keras.backend.backend() == "jax" else "int32"  # of seeds, as the backend's random functions require


class Chance(keras.random.SeedGenerator):
    """The stateless random numbers of one layer for one batch.

    `keras.random` takes Python integers and generators as seeds, but no tensors. This is a generator whose n-th draw depends
    only on its seed and n. It has no variables, so it can be created inside ``tf.function`` and ``tf.data``.

    Args:
        seed: an integer, or two as a sequence or an integer tensor of shape (2,), such as (seed of the run, index of the
            batch); at least 0.
        batch: number of images; each draw gives numbers for all of them.
        salt: makes the draws of two layers with the same seed differ.
    """

    def __init__(self, seed: Any, batch: Any, salt: int = 0):
        pair = ops.convert_to_tensor((seed, 0) if isinstance(seed, int) else seed)
        first = ops.mod(ops.mod(pair[0], LARGEST // 2) + salt % (LARGEST // 2), LARGEST)
        second = ops.mod(pair[1], LARGEST // MAX_DRAWS) * MAX_DRAWS
        self.pair = ops.cast(ops.stack([first, second]), "int32")
        self.batch, self.drawn = batch, 0

    def next(self, ordered: bool = True) -> Any:
        """The seed of the next draw, (2,); `keras.random` asks for it."""
        self.drawn += 1
        return ops.cast(self.pair + ops.convert_to_tensor([0, self.drawn], dtype="int32"), DTYPE)

    def uniform(self, low: float = 0.0, high: float = 1.0, shape: Sequence[int] = (1, 1)) -> Any:
        """Uniform random numbers, float32 (batch, *shape) in low..high."""
        return keras.random.uniform((self.batch, *shape), low, high, dtype="float32", seed=self)

    def off(self, most: float, shape: Sequence[int] = (1, 1)) -> Any:
        """Uniform random numbers in -most..most."""
        return self.uniform(-most, most, shape)

    def normal(self, shape: Sequence[int]) -> Any:
        """Normal random numbers of mean 0 and standard deviation 1, float32 (batch, *shape)."""
        return keras.random.normal((self.batch, *shape), dtype="float32", seed=self)

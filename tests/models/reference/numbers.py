"""The numbers of a checkpoint, made from the names and shapes of its tensors: the same in PyTorch's environment and in ours."""

import zlib
from collections.abc import Mapping

import numpy as np


def state(shapes: Mapping[str, list[int]], gain: float) -> dict[str, np.ndarray]:
    """A float32 tensor for each name.

    Args:
        shapes: by name.
        gain: of the kernels; chosen for each network, such that activations neither vanish nor explode through its depth.
    """
    return {name: numbers(name, tuple(shape), gain) for name, shape in shapes.items()}


def numbers(name: str, shape: tuple[int, ...], gain: float = 1.0) -> np.ndarray:
    noise = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape, np.float32)
    role = name.rpartition(".")[2]
    if role == "running_var":
        return 1 + 0.2 * np.abs(noise)
    if len(shape) > 1 and "embedding" not in name:
        return noise * np.float32((1.5 * gain / np.prod(shape[1:])) ** 0.5)
    return (1 if role == "weight" and len(shape) == 1 else 0) + 0.1 * noise


def images(side: int) -> np.ndarray:
    """Noise, a ramp and a checkerboard, uint8 RGB (3, side, side, 3)."""
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    rows, columns = np.mgrid[:side, :side]
    ramp = np.stack([rows * 255 // side, columns * 255 // side, (rows + columns) * 127 // side], axis=-1).astype(
        np.uint8
    )
    board = np.repeat((((rows // 9 + columns // 9) % 2) * 200)[..., None], 3, axis=-1).astype(np.uint8)
    return np.stack([noise, ramp, board])

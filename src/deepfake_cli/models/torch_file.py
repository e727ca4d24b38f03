"""Read a file of tensors that PyTorch wrote before version 1.6, without PyTorch and without running what is in it.

The format is a sequence of pickles (magic number, version, system, tensors, keys of their storages), then for each
storage an int64 with its length and its numbers, little-endian.
https://github.com/pytorch/pytorch/blob/main/torch/serialization.py, `_legacy_load`.
"""

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
ITEM_TYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class Tensor(NamedTuple):
    """Where a tensor lies: in which storage, from which item, in which shape and with which steps, in items."""

    storage: str
    item_type: np.dtype
    offset: int
    shape: tuple[int, ...]
    steps: tuple[int, ...]


def read_tensors(path: str | Path) -> dict[str, np.ndarray]:
    """Return the tensors of a PyTorch state dictionary by name.

    Raises:
        pickle.UnpicklingError: the file is of another kind, or holds anything but tensors.
    """
    with Path(path).open("rb") as file:
        magic, _version, _system, tensors, keys = (_Reader(file).load() for _ in range(5))
        if magic != MAGIC:
            raise pickle.UnpicklingError(f"{path} is not a file of tensors.")
        item_types = {tensor.storage: tensor.item_type for tensor in tensors.values()}
        storages = {key: _read_storage(file, item_types[key]) for key in keys}
    return {name: _view(storages[tensor.storage], tensor) for name, tensor in tensors.items()}


def _read_storage(file: IO[bytes], item_type: np.dtype) -> np.ndarray:
    length = int.from_bytes(file.read(8), "little")
    return np.frombuffer(file.read(length * item_type.itemsize), item_type, length)


def _view(storage: np.ndarray, tensor: Tensor) -> np.ndarray:
    size = storage.itemsize  # NumPy counts in bytes; it refuses a view that leaves the buffer
    return np.ndarray(
        tensor.shape, storage.dtype, storage, tensor.offset * size, tuple(step * size for step in tensor.steps)
    )


def _rebuild(
    storage: tuple[str, np.dtype], offset: int, shape: tuple[int, ...], steps: tuple[int, ...], *_: Any
) -> Tensor:
    return Tensor(*storage, offset, shape, steps)


class _Reader(pickle.Unpickler):
    """Knows the three kinds of things that a state dictionary is made of, and refuses any other."""

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in ITEM_TYPES:
            return ITEM_TYPES[name]
        known = {("torch._utils", "_rebuild_tensor_v2"): _rebuild, ("collections", "OrderedDict"): OrderedDict}
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of tensors.")
        return known[module, name]

    def persistent_load(self, pid: Any) -> tuple[str, np.dtype]:
        _kind, item_type, key, *_ = pid
        return key, item_type

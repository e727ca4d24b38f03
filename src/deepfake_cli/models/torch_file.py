"""Read tensors from a file of PyTorch before version 1.6, without PyTorch and without executing its content.

The format is a sequence of pickles (magic number, version, system, tensors, keys of their storages), then for each storage
its length as int64 and its numbers, little-endian.
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
    """A view of a storage: offset and strides in items, and shape."""

    storage: str
    item_type: np.dtype
    offset: int
    shape: tuple[int, ...]
    steps: tuple[int, ...]


def read_tensors(path: str | Path) -> dict[str, np.ndarray]:
    """Return the tensors of a PyTorch state dictionary by name.

    Raises:
        pickle.UnpicklingError: the file is of another format, or has objects other than tensors.
    """
    with Path(path).open("rb") as file:
        magic, _version, _system, tensors, keys = (_Reader(file).load() for _ in range(5))
        if magic != MAGIC:
            raise pickle.UnpicklingError(f"{path} is not a PyTorch file of tensors.")
        item_types = {tensor.storage: tensor.item_type for tensor in tensors.values()}
        storages = {key: _read_storage(file, item_types[key]) for key in keys}
    return {name: _view(storages[tensor.storage], tensor) for name, tensor in tensors.items()}


def _read_storage(file: IO[bytes], item_type: np.dtype) -> np.ndarray:
    length = int.from_bytes(file.read(8), "little")
    return np.frombuffer(file.read(length * item_type.itemsize), item_type, length)


def _view(storage: np.ndarray, tensor: Tensor) -> np.ndarray:
    size = storage.itemsize  # NumPy counts in bytes, and refuses a view beyond the buffer
    return np.ndarray(
        tensor.shape, storage.dtype, storage, tensor.offset * size, tuple(step * size for step in tensor.steps)
    )


def _rebuild(
    storage: tuple[str, np.dtype], offset: int, shape: tuple[int, ...], steps: tuple[int, ...], *_: Any
) -> Tensor:
    return Tensor(*storage, offset, shape, steps)


class _Reader(pickle.Unpickler):
    """Allows only the three types that a state dictionary consists of."""

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in ITEM_TYPES:
            return ITEM_TYPES[name]
        known = {("torch._utils", "_rebuild_tensor_v2"): _rebuild, ("collections", "OrderedDict"): OrderedDict}
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed in a file of tensors.")
        return known[module, name]

    def persistent_load(self, pid: Any) -> tuple[str, np.dtype]:
        _kind, item_type, key, *_ = pid
        return key, item_type

"""Read the tensors of a PyTorch file, without PyTorch and without executing its content.

Since PyTorch 1.6 a file is a zip archive: ``NAME/data.pkl``, a pickle of the objects, and ``NAME/data/KEY``, the numbers of each
storage. Before, it was a sequence of pickles (magic number, version, system, objects, keys of their storages), then for each
storage its length as int64 and its numbers. Both little-endian.
https://github.com/pytorch/pytorch/blob/main/torch/serialization.py, `_save`, `_load` and `_legacy_load`.
"""

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
ITEM_TYPES: dict[str, np.dtype[Any]] = {
    "FloatStorage": np.dtype("<f4"), "DoubleStorage": np.dtype("<f8"), "HalfStorage": np.dtype("<f2"),
    "BFloat16Storage": np.dtype("<u2"), "LongStorage": np.dtype("<i8"), "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"), "CharStorage": np.dtype("i1"), "ByteStorage": np.dtype("u1"), "BoolStorage": np.dtype("?"),
}  # fmt: skip
BFLOAT16 = "BFloat16Storage"  # the upper half of a float32
STATES = ("model", "state_dict", "model_state_dict", "net", "network", "weights")  # of checkpoints with more in them


class Tensor(NamedTuple):
    """A view of a storage: its key and kind, offset and strides in items, and shape."""

    storage: str
    kind: str
    offset: int
    shape: tuple[int, ...]
    steps: tuple[int, ...]


def read_tensors(path: str | Path) -> dict[str, np.ndarray]:
    """Return the tensors of a PyTorch state dictionary by name, also of one inside a checkpoint, such as its ``"model"``.

    Raises:
        pickle.UnpicklingError: the file is damaged, of another format, or has other objects than numbers, texts and tensors.
        OSError: it cannot be read.
    """
    with Path(path).open("rb") as file:
        try:
            tensors, storage_of = (_zipped if zipfile.is_zipfile(file) else _legacy)(file)
            return {name: _view(storage_of(tensor), tensor) for name, tensor in _state(tensors).items()}
        except pickle.UnpicklingError:
            raise
        except Exception as error:  # noqa: BLE001 - damage raises many kinds in pickle, zipfile and NumPy
            raise pickle.UnpicklingError(f"damaged, or not a PyTorch file ({type(error).__name__}: {error})") from None


def _zipped(file: IO[bytes]) -> tuple[Any, Callable[[Tensor], np.ndarray]]:
    file.seek(0)
    archive = zipfile.ZipFile(file)
    name = next(name for name in [*archive.namelist(), "data.pkl"] if name.rpartition("/")[2] == "data.pkl")
    folder = name.removesuffix("data.pkl")

    def storage_of(tensor: Tensor) -> np.ndarray:
        entry = archive.getinfo(f"{folder}data/{tensor.storage}")
        if entry.compress_type != zipfile.ZIP_STORED:  # PyTorch compresses none
            raise ValueError(f"{entry.filename} is compressed")
        return np.frombuffer(archive.read(entry), ITEM_TYPES[tensor.kind])

    return _Reader(archive.open(name)).load(), storage_of


def _legacy(file: IO[bytes]) -> tuple[Any, Callable[[Tensor], np.ndarray]]:
    file.seek(0)
    magic = _Reader(file).load()
    if magic != MAGIC:
        raise pickle.UnpicklingError("not a PyTorch file of tensors")
    _version, _system, tensors, keys = (_Reader(file).load() for _ in range(4))
    kinds = {tensor.storage: tensor.kind for tensor in _found(tensors)}
    places = {}
    for key in keys:
        count = int.from_bytes(file.read(8), "little")
        places[key] = file.tell(), count
        file.seek(count * ITEM_TYPES[kinds[key]].itemsize, 1)

    def storage_of(tensor: Tensor) -> np.ndarray:
        item_type, (place, count) = ITEM_TYPES[tensor.kind], places[tensor.storage]
        file.seek(place)
        return np.frombuffer(file.read(count * item_type.itemsize), item_type, count)

    return tensors, storage_of


def _found(value: Any) -> Iterator[Tensor]:
    """All tensors in nested objects."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _found(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _found(inner)


def _state(content: Any) -> dict[str, Tensor]:
    """The state dictionary: the content, or what it holds under one of `STATES`."""
    candidates = [content, *(content.get(key) for key in STATES)] if isinstance(content, Mapping) else []
    for value in candidates:
        if isinstance(value, Mapping) and (
            tensors := {str(key): each for key, each in value.items() if isinstance(each, Tensor)}
        ):
            return tensors
    kind = (
        f"an object with the keys {', '.join(map(str, content))[:200]}" if isinstance(content, Mapping) else "no object"
    )
    raise pickle.UnpicklingError(
        f"no state dictionary: found {kind}; expected tensors by name, or such under {', '.join(STATES)}"
    )


def _view(storage: np.ndarray, tensor: Tensor) -> np.ndarray:
    size = storage.itemsize  # NumPy counts in bytes, and refuses a view beyond the buffer
    view = np.ndarray(
        tensor.shape, storage.dtype, storage, tensor.offset * size, tuple(step * size for step in tensor.steps)
    )
    return (view.astype("<u4") << 16).view("<f4") if tensor.kind == BFLOAT16 else view


def _rebuild(storage: tuple[str, str], offset: int, shape: tuple[int, ...], steps: tuple[int, ...], *_: Any) -> Tensor:
    return Tensor(*storage, offset, tuple(shape), tuple(steps))


class _Left:
    """Stands for an object beside the tensors that is data only: nothing of it is built."""

    def __init__(self, *_: Any):
        pass

    def __setstate__(self, state: Any) -> None:
        pass


KNOWN: dict[tuple[str, str], Any] = {
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
    ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
    ("collections", "OrderedDict"): OrderedDict,
    ("torch", "Size"): tuple,
    **dict.fromkeys(  # what training scripts save beside the tensors: epochs, losses, options
        (
            ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar"), ("numpy", "dtype"), ("_codecs", "encode"),
            ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"), ("numpy", "ndarray"),
            ("argparse", "Namespace"), ("torch", "device"), ("torch", "float32"), ("torch", "float16"), ("torch", "float64"),
        ),
        _Left,
    ),
}  # fmt: skip


class _Reader(pickle.Unpickler):
    """Allows only the types that a state dictionary consists of, and inert stand-ins for data beside it."""

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in ITEM_TYPES:
            return name
        if (module, name) not in KNOWN:
            raise pickle.UnpicklingError(
                f"it holds {module}.{name}, which is not allowed: it may run code. Save the state dictionary alone with PyTorch"
            )
        return KNOWN[module, name]

    def persistent_load(self, pid: Any) -> tuple[str, str]:
        _kind, item_type, key, *_ = pid
        return key, item_type

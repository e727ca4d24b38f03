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


class RefusedError(pickle.UnpicklingError):
    """The file is whole, but cannot be read without running code in it."""


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
        RefusedError: it has other objects than tensors and data beside them, so it may run code.
        pickle.UnpicklingError: the file is damaged, or of another format.
        OSError: it cannot be read.
    """
    with Path(path).open("rb") as file:
        try:
            tensors, storage_of = (_zipped if zipfile.is_zipfile(file) else _legacy)(file)
            return {name: _view(storage_of(tensor), tensor) for name, tensor in _state(tensors).items()}
        except pickle.UnpicklingError as error:
            if str(error).startswith("invalid load key"):  # the first byte is none of a pickle
                raise pickle.UnpicklingError("not a PyTorch file") from None
            raise
        except Exception as error:  # noqa: BLE001 - damage raises many kinds in pickle, zipfile and NumPy
            raise pickle.UnpicklingError(f"damaged, or not a PyTorch file ({type(error).__name__}: {error})") from None


def _zipped(file: IO[bytes]) -> tuple[Any, Callable[[Tensor], np.ndarray]]:
    file.seek(0)
    archive = zipfile.ZipFile(file)
    name = next((name for name in archive.namelist() if name.rpartition("/")[2] == "data.pkl"), None)
    if name is None:
        some = ", ".join(archive.namelist()[:3])
        raise pickle.UnpicklingError(
            f"an archive of other files, such as {some}: extract it, and give the checkpoint in it"
        )
    folder = name.removesuffix("data.pkl")

    def storage_of(tensor: Tensor) -> np.ndarray:
        entry = archive.getinfo(f"{folder}data/{tensor.storage}")
        if entry.compress_type != zipfile.ZIP_STORED:  # PyTorch compresses none
            raise ValueError(f"{entry.filename} is compressed")
        return np.frombuffer(archive.read(entry), ITEM_TYPES[tensor.kind])

    return _Reader(archive.open(name)).load(), storage_of


def _legacy(file: IO[bytes]) -> tuple[Any, Callable[[Tensor], np.ndarray]]:
    file.seek(0)
    if file.read(2) == b"PK":
        raise pickle.UnpicklingError("incomplete: the end of its archive is missing")
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
    """The state dictionary: under a key of `STATES`, the content itself, or under the only other key that has tensors."""
    inner = content if isinstance(content, Mapping) else {}
    others = [_tensors(value) for key, value in inner.items() if key not in STATES and _tensors(value)]
    known = (_tensors(value) for value in (*map(inner.get, STATES), inner))
    found = next(filter(None, known), None) or (others[0] if len(others) == 1 else None)
    if found:
        return found
    kind = (
        f"the keys {', '.join(map(str, inner))[:200]}" if inner else f"an object of the type {type(content).__name__}"
    )
    raise pickle.UnpicklingError(
        f"no state dictionary: found {kind}; expected tensors by name, or such under {', '.join(STATES)}"
    )


def _tensors(value: Any) -> dict[str, Tensor]:
    items = value.items() if isinstance(value, Mapping) else ()
    return {str(key): each for key, each in items if isinstance(each, Tensor)}


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

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, value: Any) -> None:
        """Leave an item of a list out."""


KNOWN: dict[tuple[str, str], Any] = {
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
    ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
    ("collections", "OrderedDict"): OrderedDict,
    ("torch", "Size"): tuple,
}
# packages, and names in them, of what training scripts save beside the tensors: epochs, losses, options, dates, paths
BESIDE: dict[str, tuple[str, ...]] = {
    "numpy": ("scalar", "dtype", "_reconstruct", "ndarray"), "_codecs": ("encode",), "argparse": ("Namespace",),
    "torch": ("device", "float32", "float16", "float64", "bfloat16", "int64"), "collections": ("defaultdict", "Counter", "deque"),
    "pathlib": ("Path", "PosixPath", "WindowsPath", "PurePosixPath"), "datetime": ("datetime", "date", "timedelta", "timezone"),
    "builtins": ("set", "frozenset", "dict", "list", "int", "float", "complex"),
    "__builtin__": ("set", "frozenset", "dict", "list", "long"),
    "omegaconf": (), "lightning": (), "lightning_fabric": (), "pytorch_lightning": (), "typing": (),
}  # fmt: skip


class _Reader(pickle.Unpickler):
    """Allows only the types that a state dictionary consists of, and inert stand-ins for data beside it."""

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in ITEM_TYPES:
            return name
        if (module, name) in KNOWN:
            return KNOWN[module, name]
        package = module.partition(".")[0]
        if package in BESIDE and (not BESIDE[package] or name in BESIDE[package]):
            return _Left
        kind = "TorchScript, a program" if package == "__torch__" else f"{module}.{name}"
        raise RefusedError(
            f"it holds {kind}, and reading that may run code. Save the tensors alone: torch.save(model.state_dict(), FILE)"
        )

    def persistent_load(self, pid: Any) -> tuple[str, str]:
        _kind, item_type, key, *_ = pid
        return key, item_type

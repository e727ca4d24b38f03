"""Tensors of a checkpoint by name, from PyTorch's format or safetensors, each to be used once."""

import pickle
import zipfile
from pathlib import Path

import numpy as np

from deepfake_cli.errors import ModelError
from deepfake_cli.models.torch_file import RefusedError, read_tensors

AGAIN = "Download the checkpoint again, or check that it is of this family (--from)."
COUNTERS = "num_batches_tracked"  # of batch normalisation, during training
SHOWN = 4  # names in a message


class Tensors:
    """The tensors of a checkpoint.

    Attributes:
        path: of the file, for messages.
    """

    def __init__(self, path: Path, found: dict[str, np.ndarray]):
        self.path = path
        self._found = {name: values for name, values in found.items() if not name.endswith(COUNTERS)}
        self._used: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._found

    @property
    def names(self) -> list[str]:
        """Of all tensors, in the order of the file."""
        return list(self._found)

    @property
    def left(self) -> list[str]:
        """Names of the tensors that were not used."""
        return [name for name in self._found if name not in self._used]

    def take(self, name: str) -> np.ndarray:
        """A tensor, float32, which counts as used.

        Raises:
            ModelError: there is none of this name, or it has a value that is not finite.
        """
        if name not in self._found:
            some = ", ".join(list(self._found)[:SHOWN])
            has = f"it has {len(self._found):,}, such as {some}" if some else "it has none"
            raise ModelError(f"{self.path}: no tensor {name}; {has}. {AGAIN}")
        if self._found[name].dtype.kind not in "fiub":
            raise ModelError(
                f"{self.path}: the tensor {name} is of {self._found[name].dtype}, not of real numbers. {AGAIN}"
            )
        values = np.ascontiguousarray(self._found[name], np.float32)
        if not np.isfinite(values).all():
            raise ModelError(f"{self.path}: the tensor {name} has values that are not finite. {AGAIN}")
        self._used.add(name)
        return values

    def check_all_used(self, *unneeded: str) -> None:
        """Check that nothing of the checkpoint was left out.

        Args:
            unneeded: beginnings of the names of tensors that do not affect the score.

        Raises:
            ModelError: a tensor was not used, so the architecture is another.
        """
        left = [name for name in self.left if not name.startswith(unneeded)]
        if left:
            raise ModelError(
                f"{self.path}: {len(left):,} tensors have no place in the model, such as {', '.join(left[:SHOWN])}. {AGAIN}"
            )


def read(path: Path) -> Tensors:
    """Read a checkpoint; a prefix ``module.``, which parallel training adds to all names, is removed.

    Raises:
        ModelError: the file is damaged, of another format, or has objects that may run code.
    """
    try:
        found = _safe(path) if _is_safe(path) else read_tensors(path)
    except RefusedError as error:
        raise ModelError(f"{path}: {error}.") from None
    except (pickle.UnpicklingError, OSError) as error:
        raise ModelError(f"{path}: {error}. {AGAIN}") from None
    if all(name.startswith("module.") for name in found):
        found = {name.removeprefix("module."): values for name, values in found.items()}
    return Tensors(path, found)


def _is_safe(path: Path) -> bool:
    """Whether a file is one of safetensors: by its content, or if that is neither, by its name."""
    with path.open("rb") as file:
        start = file.read(9)  # the length of the header, and its first brace
    if start[8:] == b"{" and int.from_bytes(start[:8], "little") < path.stat().st_size:
        return True
    return path.suffix.lower() == ".safetensors" and not zipfile.is_zipfile(path)


def _safe(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (SafetensorError, AttributeError, KeyError, TypeError, ValueError) as error:  # NumPy lacks some types
        raise ModelError(f"{path}: not a safetensors file, or damaged: {error}. {AGAIN}") from None

"""Read models and weights from files: .keras, .weights.h5, and the .h5 of Keras 2."""

import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import keras

from deepfake_cli.errors import ModelError
from deepfake_cli.models.contract import check
from deepfake_cli.models.tune import refreeze
from deepfake_cli.storage.downloads import local_path
from deepfake_cli.storage.near import hint

SUFFIXES = (".keras", ".h5", ".hdf5")  # in either case


def load_weights(model: keras.Model, path: str | Path) -> None:
    """Load the weights in a file into `model`, layer by layer, in order.

    Args:
        model: of the same architecture and image size as the file.
        path: .weights.h5 or .h5 with weights, or a whole model, .keras or .h5.

    Raises:
        ModelError: the file is missing, unreadable, or of another architecture; some weights may be loaded already.
    """
    path = _checked(path)
    try:
        with warnings.catch_warnings(action="ignore"), _in_lower_case(path) as file:  # the error has the important part
            model.load_weights(file)
    except Exception as error:
        raise ModelError(f"The weights in {path} do not fit the model {model.name}: {_reason(error)}") from error


def read_model(path: str | Path, *, compile: bool = False) -> keras.Model:
    """Read a whole model from a .keras or .h5 file, in safe mode; with its optimizer and loss if `compile`.

    Raises:
        ModelError: the file is missing or unreadable, its optimizer does not match the trained weights, or the model is no
            detector (see `deepfake_cli.models.contract.check`).
    """
    path = _checked(path)
    try:
        with warnings.catch_warnings(action="always", record=True) as caught, _in_lower_case(path) as file:
            model = keras.models.load_model(file, compile=compile)
            if refreeze(model) and compile and model.optimizer is not None:
                caught.clear()
                model.compile_from_config(model.get_compile_config())
                model.load_weights(file)  # with those of the optimizer
    except Exception as error:
        raise ModelError(f"No model can be read from {path}: {_reason(error)}") from error
    if any("variable loading for optimizer" in str(warning.message) for warning in caught):
        raise ModelError(
            f"{path}: the optimizer does not match the trained weights, so training cannot continue from this file. "
            "Start a new run from its weights with --weights."
        )
    check(model, str(path))
    return model


def weights_only(path: str | Path) -> bool:
    """Whether a file has weights only, without a model.

    Raises:
        ModelError: the file is missing, broken, or of a format that Keras does not read.
    """
    path = _checked(path)
    if path.suffix.lower() == ".keras":
        return False
    with h5py.File(path) as file:
        return "model_config" not in file.attrs


@contextmanager
def _in_lower_case(path: Path) -> Iterator[Path]:
    """The file under a name whose suffix Keras knows: it goes by its case."""
    if path.suffix == path.suffix.lower():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="deepfake-") as folder:
        copy = Path(folder) / path.name.lower()
        shutil.copyfile(path, copy)
        yield copy


def _checked(path: str | Path) -> Path:
    """The local path of a model file, after a quick check that it exists and is complete."""
    path = local_path(Path(path))
    if not path.is_file():
        raise ModelError(f"{path}: no such file.{hint(path)} List the runs with deepfake runs.")
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ModelError(f"{path}: not a model. Expected a .keras, .weights.h5, .h5 or .hdf5 file.")
    if not (zipfile.is_zipfile(path) if suffix == ".keras" else _is_whole_hdf5(path)):
        raise ModelError(f"{path}: broken, incomplete, or not a {path.suffix} file despite its name.")
    return path


def _is_whole_hdf5(path: Path) -> bool:
    try:
        h5py.File(path).close()
    except OSError:
        return False
    return True


def _reason(error: Exception) -> str:
    """Keras' message in one line, without its list of all objects in the model."""
    return " ".join(str(error).partition("List of objects")[0].split())

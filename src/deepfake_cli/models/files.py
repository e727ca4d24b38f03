"""Models and weights in files: .keras, .weights.h5, and the .h5 of Keras 2."""

import warnings
import zipfile
from pathlib import Path

import h5py
import keras

from deepfake_cli.errors import ModelError
from deepfake_cli.models.tune import refreeze
from deepfake_cli.storage.remote import here

# what Keras, h5py and zipfile raise on a file that is broken, of another kind, or of another architecture
UNREADABLE = (ValueError, OSError, KeyError, TypeError, AttributeError, RuntimeError, zipfile.BadZipFile)


def load_weights(model: keras.Model, path: str | Path) -> None:
    """Copy the weights in a file into `model`, layer by layer, in order.

    Args:
        model: what to fill; of the architecture and image size that the weights were saved from.
        path: .weights.h5 or .h5 with weights, or a whole model, .keras or .h5.

    Raises:
        ModelError: the file is missing, unreadable, or of another architecture; the model is then part filled.
    """
    path = _checked(path)
    try:
        with warnings.catch_warnings(action="ignore"):  # what matters is in the error
            model.load_weights(path)
    except UNREADABLE as error:
        raise ModelError(f"The weights in {path} do not fit the model {model.name}: {_reason(error)}") from error


def read_model(path: str | Path, *, compile: bool = False) -> keras.Model:
    """Return the whole model in a .keras or .h5 file, in safe mode; with its optimizer and loss if `compile`.

    Raises:
        ModelError: the file is missing or unreadable, or its optimizer is not of the weights that its model trains.
    """
    path = _checked(path)
    try:
        with warnings.catch_warnings(action="always", record=True) as told:
            model = keras.models.load_model(path, compile=compile)
            if refreeze(model) and compile and model.optimizer is not None:
                told.clear()
                model.compile_from_config(model.get_compile_config())
                model.load_weights(path)  # the optimizer's among them
    except UNREADABLE as error:
        raise ModelError(f"No model can be read from {path}: {_reason(error)}") from error
    if any("variable loading for optimizer" in str(each.message) for each in told):
        raise ModelError(
            f"The optimizer in {path} is not of the weights that its model trains, so no run can go on from it as it was; "
            "a new one can start from its weights with --weights."
        )
    return model


def weights_only(path: str | Path) -> bool:
    """Tell whether a file holds weights without the model they are for.

    Raises:
        ModelError: the file is missing, broken, or of a kind that Keras does not read.
    """
    path = _checked(path)
    if path.suffix == ".keras":
        return False
    with h5py.File(path) as file:
        return "model_config" not in file.attrs


def _checked(path: str | Path) -> Path:
    """Return the path of a file that is there and whole, as far as a look at its ends can tell."""
    path = here(Path(path))
    if not path.is_file():
        raise ModelError(f"There is no file {path}.")
    if path.suffix not in (".keras", ".h5", ".hdf5"):
        raise ModelError(f"Models and weights come in .keras, .weights.h5 and .h5 files. Received {path}.")
    if not (zipfile.is_zipfile(path) if path.suffix == ".keras" else _is_whole_hdf5(path)):
        raise ModelError(f"{path} is broken, cut short, or no {path.suffix} file in spite of its name.")
    return path


def _is_whole_hdf5(path: Path) -> bool:
    try:
        h5py.File(path).close()
    except OSError:
        return False
    return True


def _reason(error: Exception) -> str:
    """Return Keras' message in one line, without its list of every object in the model."""
    return " ".join(str(error).partition("List of objects")[0].split())

"""Detectors of other projects: their published checkpoints, read without PyTorch and without running code in them.

A family is a function ``sbi(path) -> Imported``: it reads a checkpoint as its authors publish it, and returns the Keras model
with its preprocessing inside, and how to use it as its authors do.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from deepfake_cli.config.base import local
from deepfake_cli.errors import DeepfakeError, ModelError
from deepfake_cli.models.checkpoints.deepfakebench import deepfakebench
from deepfake_cli.models.checkpoints.gend import gend
from deepfake_cli.models.checkpoints.imported import Imported, finished
from deepfake_cli.models.checkpoints.mesonet import mesonet
from deepfake_cli.models.checkpoints.sbi import sbi
from deepfake_cli.models.checkpoints.tensors import AGAIN
from deepfake_cli.models.checkpoints.two_classes import two_classes
from deepfake_cli.models.contract import check
from deepfake_cli.registry import lookup
from deepfake_cli.storage.disk import reason

__all__ = ["FAMILIES", "Imported", "read_checkpoint"]

LONGEST = 300  # characters of another library's message

FAMILIES: dict[str, Callable[[Path], Imported]] = {
    "mesonet": mesonet,  # Meso4 and MesoInception4, of DariusAf/MesoNet
    "sbi": sbi,  # EfficientNet-B4, of mapooon/SelfBlendedImages
    "deepfakebench": deepfakebench,  # Xception and EfficientNet-B4, of SCLBD/DeepfakeBench
    "gend": gend,  # CLIP ViT-L/14, of yermandy/GenD
}


def read_checkpoint(path: Path, family: str) -> Imported:
    """Read a checkpoint of another project.

    Args:
        path: the checkpoint, as its authors publish it; local or remote.
        family: a key of `FAMILIES`; a ``.toml`` file, see `deepfake_cli.models.checkpoints.two_classes`; or ``module:function``.

    Raises:
        ModelError: the file is missing, damaged, or not of this family.
        ConfigError: the ``.toml`` file is missing or invalid.
        DeepfakeError: there is no such family.
    """
    read: Callable[[Path], Imported]
    own = ":" in family and not family.lower().endswith(".toml")
    if family.lower().endswith(".toml"):
        read = partial(two_classes, description=Path(local(family)))
    else:
        read = lookup(FAMILIES, family, "family of checkpoints")
    try:
        model, traits = finished(path, read)
    except DeepfakeError:
        raise
    except Exception as error:  # of NumPy or Keras, for tensors that no layer takes
        if own:
            raise
        raise ModelError(
            f"{path}: cannot be read: {type(error).__name__}: {reason(error)[:LONGEST]}. {AGAIN}"
        ) from error
    check(model, str(path))
    return Imported(model, traits)

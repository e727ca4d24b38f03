"""Detectors of other projects: their published checkpoints, read without PyTorch and without running code in them.

A family is a function ``sbi(path) -> Imported``: it reads a checkpoint as its authors publish it, and returns the Keras model
with its preprocessing inside, and how to use it as its authors do.
"""

from collections.abc import Callable
from pathlib import Path

from deepfake_cli.models.checkpoints.imported import Imported, finished
from deepfake_cli.models.checkpoints.mesonet import mesonet
from deepfake_cli.models.contract import check
from deepfake_cli.registry import lookup

__all__ = ["FAMILIES", "Imported", "read_checkpoint"]

FAMILIES: dict[str, Callable[[Path], Imported]] = {
    "mesonet": mesonet,  # Meso4 and MesoInception4, of DariusAf/MesoNet
}


def read_checkpoint(path: Path, family: str) -> Imported:
    """Read a checkpoint of another project.

    Args:
        path: the checkpoint, as its authors publish it; local or remote.
        family: a key of `FAMILIES`, or ``module:function``.

    Raises:
        ModelError: the file is missing, damaged, or not of this family.
        DeepfakeError: there is no such family.
    """
    read: Callable[[Path], Imported] = lookup(FAMILIES, family, "family of checkpoints")
    model, traits = finished(path, read)
    check(model, str(path), run=family not in FAMILIES)
    return Imported(model, traits)

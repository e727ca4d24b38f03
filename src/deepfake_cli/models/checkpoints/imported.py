"""What a family of checkpoints returns, and what is completed for all of them."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import keras

from deepfake_cli.errors import ModelError
from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.storage.remote import here


class Imported(NamedTuple):
    """A detector of another project.

    Attributes:
        model: from RGB in 0..255, (batch, size, size, 3), to the probability of fake, (batch, 1).
        traits: how its authors use it: size, margin, threshold, pooling; and its card, without file and SHA-256.
    """

    model: keras.Model
    traits: Traits


def finished(path: Path, read: Callable[[Path], Imported]) -> Imported:
    """Read a checkpoint, and name the file in its card.

    Raises:
        ModelError: the file is missing, damaged, or not of this family.
    """
    local = here(path)
    if not local.is_file():
        raise ModelError(f"{path}: no such file. Give the checkpoint as its authors publish it.")
    model, traits = read(local)
    with local.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Imported(model, replace(traits, card={**(traits.card or {}), "file": path.name, "sha256": digest}))

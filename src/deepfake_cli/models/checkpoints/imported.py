"""What a family of checkpoints returns, and what is completed for all of them."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import keras

from deepfake_cli.errors import ModelError
from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.storage.downloads import local_path

INSTEAD = {  # first bytes of what is often downloaded instead of a checkpoint
    b"version https://git-lfs": "a pointer of Git LFS, not the checkpoint. Fetch the file with git lfs pull, or with a browser.",
    b"<!doctype html": "a web page, not the checkpoint. Download the file with a browser.",
    b"<html": "a web page, not the checkpoint. Download the file with a browser.",
}


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
    local = local_path(path)
    if not local.is_file():
        found = "a folder" if local.is_dir() else "no such file"
        raise ModelError(f"{path}: {found}. Give the checkpoint as its authors publish it, one file.")
    with local.open("rb") as file:
        start = file.read(64).lstrip().lower()
    if instead := next((what for first, what in INSTEAD.items() if start.startswith(first)), ""):
        raise ModelError(f"{path}: {instead}")
    model, traits = read(local)
    with local.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Imported(model, replace(traits, card={**(traits.card or {}), "file": path.name, "sha256": digest}))

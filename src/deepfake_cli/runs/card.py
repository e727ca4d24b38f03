"""The card of a detector: what was measured of it, kept in its recipe and in the metadata of its export."""

from pathlib import Path
from typing import Any

from deepfake_cli.errors import ModelError
from deepfake_cli.inference.runtimes.metadata import ONNX
from deepfake_cli.runs import recipe
from deepfake_cli.runs.best_onnx import read_export, restamp, stamped
from deepfake_cli.runs.files import BEST, BEST_ONNX
from deepfake_cli.runs.folder import is_locked
from deepfake_cli.storage.disk import check_output
from deepfake_cli.storage.file_sets import replaced


def snapshot_of(detector: Path) -> Path | None:
    """The snapshot whose entry in a recipe is this detector's; None if no recipe next to it lists it."""
    snapshot = detector.with_name(BEST) if detector.name == BEST_ONNX else detector
    return snapshot if snapshot.name in recipe.read(detector).get("snapshots", {}) else None


def check(detector: Path) -> None:
    """Check, before the work, that `keep` can write the card of a detector.

    Raises:
        ModelError: it is a snapshot that no recipe lists, its export is broken, or its run is still training.
    """
    snapshot = snapshot_of(detector)
    if snapshot is None:
        if detector.suffix.lower() != ONNX:
            raise ModelError(
                f"{detector.parent / recipe.NAME}: does not list {detector.name}, or is missing; give a snapshot with the recipe "
                "that deepfake train writes next to it, or an .onnx file."
            )
        return
    check_output(snapshot.parent / recipe.NAME, folder=False)
    read_export(snapshot)
    if is_locked(snapshot.parent):
        raise ModelError(f"{snapshot.parent} is still training. Try again when it has finished.")


def place(detector: Path, output: Path) -> Path:
    """The detector that will have the card of `keep`: of a run the given one, else a copy in the output folder."""
    return output / detector.name if snapshot_of(detector) is None else detector


def keep(detector: Path, output: Path, new: Path, **card: Any) -> list[Path]:
    """Save what was measured of a detector.

    A detector of a run gets it in its recipe and its export. Of any other exported detector a copy with the same weights is
    written, since the file given is not ours to change.

    Args:
        detector: a snapshot, or an ``.onnx`` file.
        output: the output folder of the command.
        new: the folder of its new files, until they replace the earlier ones.
        card: keys of `deepfake_cli.inference.runtimes.metadata.Traits` that are also those of a snapshot in the recipe.

    Returns:
        The files written.
    """
    snapshot = snapshot_of(detector)
    if snapshot is None:
        stamped(detector, new / detector.name, **card)
        return [place(detector, output)]
    check(detector)  # again, since training may have started
    known = recipe.read(snapshot)
    known["snapshots"][snapshot.name] |= card
    with replaced(snapshot.parent, last=recipe.NAME) as folder:
        recipe.write(folder, known)
        exported = restamp(snapshot, folder, **card)
    return [snapshot.parent / recipe.NAME, *filter(None, [exported])]

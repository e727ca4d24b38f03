"""``best.onnx``, the export of ``best.keras`` that predict and evaluate run without TensorFlow; and imported detectors."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from deepfake_cli.errors import ModelError
from deepfake_cli.inference.runtimes.metadata import KEY, Traits
from deepfake_cli.runs.listing import BEST, BEST_ONNX
from deepfake_cli.storage.files import whole
from deepfake_cli.storage.remote import here

SUFFIX = ".onnx"


def read_export(snapshot: Path) -> Any:
    """The ONNX model beside a run's best snapshot, or the snapshot if it is one, checked; None if there is none.

    Raises:
        ModelError: it is broken, has data in other files, or was not written by ``deepfake export``.
    """
    import onnx
    from onnx.external_data_helper import uses_external_data

    path = export_of(snapshot)
    if path is None or not here(path).is_file():
        return None
    mend = f"Delete it, and run deepfake export {snapshot} again." if path != snapshot else "Export it again."
    try:
        exported = onnx.load(here(path), load_external_data=False)
    except Exception as error:  # noqa: BLE001 - protobuf has no common exception class
        raise ModelError(f"{path} cannot be loaded: {' '.join(str(error).split())[:300]}. {mend}") from None
    if any(uses_external_data(tensor) for tensor in exported.graph.initializer):
        raise ModelError(f"{path}: has data in other files, which is not read. {mend}")
    _traits(exported, path)
    return exported


def export_of(snapshot: Path) -> Path | None:
    """The export that is to have the calibration of a snapshot: itself, or ``best.onnx`` of ``best.keras``."""
    if snapshot.suffix.lower() == SUFFIX:
        return snapshot
    return snapshot.with_name(BEST_ONNX) if snapshot.name == BEST else None


def traits_of(snapshot: Path) -> Traits | None:
    """The metadata of the export of a snapshot; None if there is none.

    Raises:
        ModelError: see `read_export`.
    """
    exported, path = read_export(snapshot), export_of(snapshot)
    return None if exported is None else _traits(exported, path)


def _traits(exported: Any, path: object) -> Traits:
    return Traits.parse(next((entry.value for entry in exported.metadata_props if entry.key == KEY), None), path)


def restamp(snapshot: Path, threshold: float | None, calibration: dict[str, object], folder: Path) -> Path | None:
    """Write the calibration of a snapshot into its export; return the export, or None if there is none.

    Args:
        snapshot: the snapshot that was calibrated.
        threshold: for the calibrated scores; None to keep the one in the file.
        calibration: as in the recipe.
        folder: of the new export, until it replaces the one beside the snapshot.
    """
    import onnx

    exported, path = read_export(snapshot), export_of(snapshot)
    if exported is None or path is None:
        return None
    properties = {entry.key: entry.value for entry in exported.metadata_props}
    traits = _traits(exported, path)
    new = replace(traits, calibration=calibration, threshold=traits.threshold if threshold is None else threshold)
    onnx.helper.set_model_props(exported, {**properties, KEY: new.text})
    with whole(folder / path.name) as partial:
        onnx.save(exported, partial)
    return path

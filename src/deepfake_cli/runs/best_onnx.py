"""``best.onnx``, the export of ``best.keras`` that predict and evaluate run without TensorFlow."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from deepfake_cli.errors import ModelError
from deepfake_cli.inference.runtimes.metadata import KEY, Traits
from deepfake_cli.runs.listing import BEST, BEST_ONNX
from deepfake_cli.storage.files import whole
from deepfake_cli.storage.remote import here


def read_export(snapshot: Path) -> Any:
    """The ONNX model beside a run's best snapshot, checked; None if there is none.

    Raises:
        ModelError: it is broken, has data in other files, or was not written by ``deepfake export``.
    """
    import onnx
    from onnx.external_data_helper import uses_external_data

    path = snapshot.with_name(BEST_ONNX)
    if snapshot.name != BEST or not here(path).is_file():
        return None
    mend = f"Delete it, and run deepfake export {snapshot} again."
    try:
        exported = onnx.load(here(path), load_external_data=False)
    except Exception as error:  # noqa: BLE001 - protobuf has no common exception class
        raise ModelError(f"{path} cannot be loaded: {' '.join(str(error).split())[:300]}. {mend}") from None
    if any(uses_external_data(tensor) for tensor in exported.graph.initializer):
        raise ModelError(f"{path}: has data in other files, which is not read. {mend}")
    Traits.parse(next((entry.value for entry in exported.metadata_props if entry.key == KEY), None), path)
    return exported


def restamp(snapshot: Path, threshold: float | None, calibration: dict[str, object], folder: Path) -> Path | None:
    """Write the calibration of a run's best snapshot into its export; return the export, or None if there is none.

    Args:
        snapshot: the snapshot that was calibrated.
        threshold: for the calibrated scores; None to keep the one in the file.
        calibration: as in the recipe.
        folder: of the new export, until it replaces the one beside the snapshot.
    """
    import onnx

    exported = read_export(snapshot)
    if exported is None:
        return None
    path = snapshot.with_name(BEST_ONNX)
    properties = {entry.key: entry.value for entry in exported.metadata_props}
    traits = Traits.parse(properties.get(KEY), path)
    new = replace(traits, calibration=calibration, threshold=traits.threshold if threshold is None else threshold)
    onnx.helper.set_model_props(exported, {**properties, KEY: new.text})
    with whole(folder / path.name) as partial:
        onnx.save(exported, partial)
    return path

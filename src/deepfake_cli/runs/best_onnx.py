"""``best.onnx``, the export of ``best.keras`` that predict and evaluate run without TensorFlow."""

from dataclasses import replace
from pathlib import Path

from deepfake_cli.inference.runtimes.metadata import KEY, Traits
from deepfake_cli.runs.listing import BEST, BEST_ONNX
from deepfake_cli.storage.files import whole
from deepfake_cli.storage.remote import here


def restamp(snapshot: Path, threshold: float | None, calibration: dict[str, object], folder: Path) -> Path | None:
    """Write the calibration of a run's best snapshot into its export; return the export, or None if there is none.

    Args:
        snapshot: the snapshot that was calibrated.
        threshold: for the calibrated scores; None to keep the one in the file.
        calibration: as in the recipe.
        folder: of the new export, until it replaces the one beside the snapshot.
    """
    import onnx

    path = snapshot.with_name(BEST_ONNX)
    if snapshot.name != BEST or not here(path).is_file():
        return None
    exported = onnx.load(here(path))
    properties = {entry.key: entry.value for entry in exported.metadata_props}
    traits = Traits.parse(properties.get(KEY), path)
    new = replace(traits, calibration=calibration, threshold=traits.threshold if threshold is None else threshold)
    onnx.helper.set_model_props(exported, {**properties, KEY: new.text})
    with whole(folder / path.name) as partial:
        onnx.save(exported, partial)
    return path

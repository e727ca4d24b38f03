"""``best.onnx``, the export of ``best.keras`` that predict and evaluate run without TensorFlow; and imported detectors."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from deepfake_cli.errors import ModelError
from deepfake_cli.inference.runtimes.metadata import KEY, ONNX, Traits
from deepfake_cli.runs.files import BEST, BEST_ONNX
from deepfake_cli.storage.downloads import is_there, local_path
from deepfake_cli.storage.files import whole


def read_export(snapshot: Path) -> Any:
    """The ONNX model beside a run's best snapshot, or the snapshot if it is one, checked; None if there is none.

    Raises:
        ModelError: it is broken, has data in other files, or was not written by ``deepfake export``.
    """
    path = export_of(snapshot)
    if path is None or not is_there(path):
        return None
    return _read(
        path, f"Delete it, and run deepfake export {snapshot} again." if path != snapshot else "Export it again."
    )


def export_of(snapshot: Path) -> Path | None:
    """The export that is to have the metadata of a snapshot: itself, or ``best.onnx`` of ``best.keras``."""
    if snapshot.suffix.lower() == ONNX:
        return snapshot
    return snapshot.with_name(BEST_ONNX) if snapshot.name == BEST else None


def traits_of(snapshot: Path) -> Traits | None:
    """The metadata of the export of a snapshot; None if there is none.

    Raises:
        ModelError: see `read_export`.
    """
    exported, path = read_export(snapshot), export_of(snapshot)
    return None if exported is None else Traits.parse(_properties(exported).get(KEY), path)


def restamp(snapshot: Path, folder: Path, **traits: Any) -> Path | None:
    """Write metadata into the export of a snapshot; return the export, or None if there is none.

    Args:
        snapshot: the snapshot that the metadata are of.
        folder: of the new export, until it replaces the one beside the snapshot.
        traits: what changes, see `deepfake_cli.inference.runtimes.metadata.Traits`.
    """
    exported, path = read_export(snapshot), export_of(snapshot)
    if exported is None or path is None:
        return None
    _save(exported, path, folder / path.name, traits)
    return path


def stamped(detector: Path, target: Path, **traits: Any) -> None:
    """Write a copy of an exported detector with other metadata; its weights are the same.

    Args:
        detector: an ``.onnx`` file.
        target: the copy.
        traits: what changes, see `deepfake_cli.inference.runtimes.metadata.Traits`.

    Raises:
        ModelError: it is broken, has data in other files, or was not written by ``deepfake export``.
    """
    _save(_read(detector, "Export the snapshot again."), detector, target, traits)


def _read(path: Path, mend: str) -> Any:
    import onnx
    from onnx.external_data_helper import uses_external_data

    try:
        exported = onnx.load(local_path(path), load_external_data=False)
    except Exception as error:  # noqa: BLE001 - protobuf has no common exception class
        raise ModelError(f"{path} cannot be loaded: {' '.join(str(error).split())[:300]}. {mend}") from None
    if any(uses_external_data(tensor) for tensor in exported.graph.initializer):
        raise ModelError(f"{path}: has data in other files, which is not read. {mend}")
    Traits.parse(_properties(exported).get(KEY), path)
    return exported


def _save(exported: Any, path: Path, target: Path, traits: dict[str, Any]) -> None:
    import onnx

    properties = _properties(exported)
    new = replace(Traits.parse(properties.get(KEY), path), **traits)
    onnx.helper.set_model_props(exported, {**properties, KEY: new.text})
    with whole(target) as partial:
        onnx.save(exported, partial)


def _properties(exported: Any) -> dict[str, str]:
    return {entry.key: entry.value for entry in exported.metadata_props}

"""``deepfake export``: export a snapshot to ONNX, LiteRT or SavedModel."""

from pathlib import Path

from deepfake_cli.config import Export
from deepfake_cli.errors import ModelError
from deepfake_cli.native_output import quiet
from deepfake_cli.runs.listing import BEST, newest, snapshot_of
from deepfake_cli.storage.disk import check_output
from deepfake_cli.storage.near import hint
from deepfake_cli.storage.remote import here
from deepfake_cli.training.export import ExportResult, export_model


def export(settings: Export) -> ExportResult:
    """Export a detector, and compare its scores with those of Keras.

    Raises:
        ModelError: the snapshot cannot be read, or the scores differ too much.
    """
    runs = settings.runs_dir
    snapshot = snapshot_of(settings.snapshot, runs) if settings.snapshot else _newest(runs)
    if not here(snapshot).exists():  # before TensorFlow is loaded
        raise ModelError(f"{snapshot}: no such file.{hint(snapshot)} List the runs with deepfake runs.")
    check_output(settings.output or snapshot, folder=False)
    with quiet():
        from deepfake_cli.models import load_model

        model = load_model(snapshot, settings.model, settings.image_size)
    return export_model(model, snapshot, settings.format, settings.output, compact=settings.compact)


def _newest(runs: Path) -> Path:
    run = newest(runs, BEST)
    if run is None:
        raise ModelError(f"No run in {runs} has a {BEST}. Give a snapshot, or train one with deepfake train.")
    return run / BEST

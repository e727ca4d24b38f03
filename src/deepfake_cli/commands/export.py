"""``deepfake export``: export a snapshot to ONNX, LiteRT or SavedModel."""

from pathlib import Path

from deepfake_cli.config import Export
from deepfake_cli.errors import ModelError
from deepfake_cli.native_output import quiet
from deepfake_cli.runs.listing import BEST, newest
from deepfake_cli.storage.disk import check_output
from deepfake_cli.training.export import ExportResult, export_model


def export(settings: Export) -> ExportResult:
    """Export a detector, and compare its scores with those of Keras.

    Raises:
        ModelError: the snapshot cannot be read, or the scores differ too much.
    """
    snapshot = settings.snapshot or _newest(settings.runs_dir)
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

"""``deepfake export``: export a snapshot, or a checkpoint of another project, to ONNX, LiteRT or SavedModel."""

from collections.abc import Callable
from pathlib import Path

from deepfake_cli.config import Export
from deepfake_cli.errors import ConfigError, ModelError
from deepfake_cli.native_output import quiet
from deepfake_cli.runs.files import BEST
from deepfake_cli.runs.find import newest, snapshot_of
from deepfake_cli.storage.disk import check_output
from deepfake_cli.storage.downloads import is_there
from deepfake_cli.storage.near import hint
from deepfake_cli.training.export import ExportResult, export_model


def export(settings: Export, consent: Callable[[str], bool] = lambda terms: False) -> ExportResult:
    """Export a detector, and compare its scores with those of Keras.

    Args:
        settings: see `deepfake_cli.config.Export`.
        consent: asked with address and licence before a checkpoint is downloaded; whether the user agrees.

    Raises:
        ModelError: the snapshot or checkpoint cannot be read, or the scores differ too much.
        ConfigError: a checkpoint is missing for `family`, or an option is for snapshots only.
    """
    if settings.family:
        return _imported(settings, settings.family, consent)
    if settings.download:
        raise ConfigError("--download is for published checkpoints: name their family with --from.")
    runs = settings.runs_dir
    snapshot = snapshot_of(settings.snapshot, runs) if settings.snapshot else _newest(runs)
    if not (is_there(snapshot) or snapshot.exists()):  # before TensorFlow is loaded
        raise ModelError(f"{snapshot}: no such file.{hint(snapshot)} List the runs with deepfake runs.")
    check_output(settings.output or snapshot, folder=False)
    with quiet():
        from deepfake_cli.models import load_model

        model = load_model(snapshot, settings.model, settings.image_size)
    return export_model(model, snapshot, settings.format, settings.output, compact=settings.compact)


def _imported(settings: Export, family: str, consent: Callable[[str], bool]) -> ExportResult:
    path = settings.snapshot
    if path is None:
        raise ConfigError(f"--from {family}: name the checkpoint, as in deepfake export FILE --from {family}.")
    if settings.model or settings.image_size:
        raise ConfigError(f"--from {family} knows architecture and size: leave out --model and --image-size.")
    check_output(settings.output or path, folder=False)
    with quiet():
        from deepfake_cli.models.checkpoints import read_checkpoint
        from deepfake_cli.models.checkpoints.download import download

    if settings.download:
        download(path, family, consent)
    with quiet():
        model, traits = read_checkpoint(path, family)
    return export_model(model, path, settings.format, settings.output, compact=settings.compact, traits=traits)


def _newest(runs: Path) -> Path:
    run = newest(runs, BEST)
    if run is None:
        raise ModelError(f"No run in {runs} has a {BEST}. Give a snapshot, or train one with deepfake train.")
    return run / BEST

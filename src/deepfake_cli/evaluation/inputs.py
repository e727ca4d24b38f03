"""Which of the arguments of a command are lists, and which is the snapshot."""

from collections.abc import Sequence
from pathlib import Path

from deepfake_cli.errors import ModelError
from deepfake_cli.inference.runtimes.metadata import ONNX
from deepfake_cli.runs.files import BEST, KERAS
from deepfake_cli.runs.find import newest, snapshot_of
from deepfake_cli.storage.downloads import is_there
from deepfake_cli.storage.folders import exists
from deepfake_cli.storage.near import hint

MODEL_SUFFIXES = (*KERAS, ONNX)
OTHER_MODELS = (".tflite", ".pb", ".pt", ".pth", ".ckpt", ".safetensors")
DEFAULT_LIST = Path("csv/val/validation.csv")
OLD_SNAPSHOT = Path("snapshots/best.keras")  # of the former trainer


def inputs(paths: Sequence[Path], runs_dir: Path) -> tuple[list[Path], Path]:
    """Separate lists and snapshot by suffix, and fill in defaults. A run stands for its best snapshot.

    Raises:
        ModelError: there are two snapshots, or none and no run; a model of another format; or a name that stands for nothing.
    """
    paths = [snapshot_of(path, runs_dir) for path in paths]
    models = [path for path in paths if path.suffix.lower() in MODEL_SUFFIXES]
    lists = [path for path in paths if path not in models]
    other = next((path for path in lists if path.suffix.lower() in OTHER_MODELS), None)
    if other:
        raise ModelError(f"{other}: neither a list nor a snapshot; expected a snapshot as {', '.join(MODEL_SUFFIXES)}.")
    unknown = next((path for path in lists if not path.suffix and not exists(path)), None)
    if unknown and not models:
        raise ModelError(
            f"{unknown}: no such list or detector.{hint(runs_dir / unknown)} Give lists as .csv, and the detector as a snapshot, "
            "a run or starter; list runs with deepfake runs."
        )
    if len(models) > 1:
        raise ModelError(f"Expected one snapshot; found {', '.join(map(str, models))}.")
    run = newest(runs_dir, BEST)
    snapshot = models[0] if models else run / BEST if run else OLD_SNAPSHOT
    if not is_there(snapshot):
        where = "" if models else f"no run in {runs_dir} has a {BEST}, and "
        raise ModelError(
            f"{where}{snapshot}: no such snapshot.{hint(snapshot)} Train one with deepfake train; list runs with deepfake runs."
        )
    return lists or [DEFAULT_LIST], snapshot

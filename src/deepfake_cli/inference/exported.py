"""Find the exported file of what a user names as a detector."""

from pathlib import Path

from deepfake_cli.assets import STARTER
from deepfake_cli.config import RUNS
from deepfake_cli.errors import MissingModelError
from deepfake_cli.inference.runtimes.metadata import ONNX
from deepfake_cli.storage.downloads import is_there
from deepfake_cli.storage.urls import url

BEST = "best.onnx"  # in the folder of a run


def exported(path: str | Path | None) -> Path:
    """The file to load for what a user names as a detector: a file, the folder of a run or its name, or ``starter``.

    Raises:
        MissingModelError: a run or snapshot has no export.
    """
    if path is None or str(path) == "starter":
        return STARTER
    path = Path(path)
    if not path.exists() and len(path.parts) == 1 and (RUNS / path).is_dir():
        path = RUNS / path
    if path.is_dir():
        return _beside(path / "best.keras", f"{path}: no {BEST} in this folder")
    if path.suffix.lower() == ".keras":
        return _beside(path, f"{url(path)}: no export beside this snapshot")
    return path


def _beside(snapshot: Path, missing: str) -> Path:
    """The export of a snapshot, which has its name with another suffix."""
    export = snapshot.with_suffix(ONNX)
    if is_there(export):
        return export
    if not is_there(snapshot):
        raise MissingModelError(f"{missing}, and no {snapshot.name}. Train a detector with deepfake train.")
    raise MissingModelError(f"{missing}. Create it with deepfake export {url(snapshot)} --output {url(export)}")

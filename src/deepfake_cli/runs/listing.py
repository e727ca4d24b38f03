"""List runs for ``deepfake runs``: their state, progress and best metrics."""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepfake_cli.config import RUNS
from deepfake_cli.errors import ModelError
from deepfake_cli.runs import recipe
from deepfake_cli.runs.files import BEST, DELETE, PROGRESS, STATE
from deepfake_cli.runs.folder import is_locked
from deepfake_cli.runs.schema import Progress
from deepfake_cli.storage.json_files import MOST_BYTES, parse_json
from deepfake_cli.storage.remote_folder import listed


@dataclass(frozen=True)
class RunRow:
    """A run in the list.

    Attributes:
        name: of its folder.
        state: ``finished``, ``interrupted``, ``running`` or ``broken``.
        size: of its files, in bytes.
        fault: why it is broken; None if it isn't.
        model: its architecture.
        began: local time, ISO 8601.
        epochs: number of finished epochs.
        asked: number of epochs to train.
        step: saved steps of the next epoch.
        best: epoch of ``best.keras``.
        val_auc: validation AUC over frames in that epoch.
        val_video_auc: validation AUC over videos in that epoch.
    """

    name: str
    state: str
    size: int
    fault: str | None = None
    model: str | None = None
    began: str | None = None
    epochs: int | None = None
    asked: int | None = None
    step: int = 0
    best: int | None = None
    val_auc: float | None = None
    val_video_auc: float | None = None


def runs(folder: Path = RUNS) -> list[RunRow]:
    """List the runs in a folder, newest first. A run that cannot be read is listed as broken."""
    with listed(folder, required=False) as place:
        folders = [path for path in place.path.iterdir() if path.is_dir()] if place.path.is_dir() else []
        return sorted((row(path) for path in folders), key=lambda run: (run.began or "", run.name), reverse=True)


def row(folder: Path) -> RunRow:
    """Describe the run in a folder."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    try:
        facts = recipe.of_run(folder)
        return RunRow(folder.name, _state(folder, facts), size, **_progress_and_metrics(folder, facts))
    except ModelError as error:
        return RunRow(folder.name, "broken", size, str(error).removeprefix(f"{folder}/"))


def _state(folder: Path, facts: dict[str, Any]) -> str:
    if is_locked(folder):
        return "running"
    return "finished" if is_finished(facts) else "interrupted"


def _progress_and_metrics(folder: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """The fields of `RunRow` that come from the recipe and the saved state."""
    done, state = epochs_done(facts), saved_progress(folder)
    best = facts["snapshots"].get(BEST, {}).get("epoch")
    metrics: dict[str, Any] = next((epoch for epoch in facts["history"] if epoch["epoch"] == best), {})
    return {
        "model": str(facts["model"]),
        "began": facts.get("began"),
        "epochs": done,
        "asked": int(facts["settings"]["epochs"]),
        "step": state["step"] if state and state["epoch"] > done else 0,
        "best": best,
        "val_auc": metrics.get("val_auc"),
        "val_video_auc": metrics.get("val_video_auc"),
    }


def is_finished(facts: dict[str, Any]) -> bool:
    """Whether the run of a recipe has trained all its epochs, or stopped early."""
    return bool(facts.get("ended")) or epochs_done(facts) >= facts["settings"]["epochs"]


def epochs_done(facts: dict[str, Any]) -> int:
    """Number of finished epochs in a recipe."""
    return max((int(entry["epoch"]) for entry in [*facts["history"], *facts["snapshots"].values()]), default=0)


def saved_progress(folder: Path) -> dict[str, Any] | None:
    """The progress of a run's saved state: current ``epoch``, finished ``step``, seeds and metric sums.

    None without a state, or with a file that is no archive, such as the stand-in for one in an object store.

    Raises:
        ModelError: the state is broken.
    """
    path = folder / STATE
    if not zipfile.is_zipfile(path):
        return None
    try:
        with zipfile.ZipFile(path) as archive, archive.open(PROGRESS) as entry:
            text = entry.read(MOST_BYTES + 1)
    except (OSError, KeyError, ValueError, RuntimeError, NotImplementedError, zlib.error, zipfile.BadZipFile) as error:
        raise ModelError(f"{path}: broken or incomplete: {error}. {DELETE}") from None
    return parse_json(text, Progress, f"{path}: {PROGRESS}", ModelError, DELETE)

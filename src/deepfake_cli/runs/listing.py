"""``deepfake runs``: the folders that training made, how far each run is and what it reached."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from deepfake_cli.config import RUNS
from deepfake_cli.errors import ModelError
from deepfake_cli.runs import recipe
from deepfake_cli.storage.remote import here, listed, url

BEST = "best.keras"
BEST_ONNX = "best.onnx"  # made of it once a run has ended
STATE = "state.keras"  # in the middle of an epoch: a model like any other, and in its archive PROGRESS
PROGRESS = "progress.json"
LOCK = "lock"
LAST = "last"  # stands for the newest run


@dataclass(frozen=True)
class RunRow:
    """A run in the list.

    Attributes:
        name: of its folder.
        state: ``finished``, ``interrupted``, ``running`` or ``broken``.
        size: of its files, in bytes.
        fault: why it is broken.
        model: its architecture.
        began: when, local time, ISO 8601.
        epochs: how many are done.
        asked: of how many.
        step: steps that are saved of the next epoch.
        best: epoch of ``best.keras``.
        val_auc: that epoch's AUC on validation, over frames.
        val_video_auc: the same over videos.
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
    """List the runs in a folder, the newest first; what can't be read is listed as broken."""
    with listed(folder, required=False) as place:
        folders = [each for each in place.path.iterdir() if each.is_dir()] if place.path.is_dir() else []
        return sorted((row(each) for each in folders), key=lambda each: (each.began or "", each.name), reverse=True)


def row(folder: Path) -> RunRow:
    """Describe the run in a folder."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    known = recipe.read(folder / BEST)
    if not known:
        return RunRow(folder.name, "broken", size, f"no {recipe.NAME} that can be read")
    try:
        return RunRow(folder.name, _state(folder, known), size, **_figures(folder, known))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return RunRow(folder.name, "broken", size, f"{recipe.NAME} is no run's: {type(error).__name__} {error}")


def _state(folder: Path, known: dict[str, Any]) -> str:
    if is_locked(folder):
        return "running"
    return "finished" if is_finished(known) else "interrupted"


def _figures(folder: Path, known: dict[str, Any]) -> dict[str, Any]:
    done, state = epochs_done(known), progress(folder)
    best = known["snapshots"].get(BEST, {}).get("epoch")
    figures: dict[str, Any] = next((each for each in known["history"] if each["epoch"] == best), {})
    return {
        "model": str(known["model"]),
        "began": known.get("began"),
        "epochs": done,
        "asked": int(known["settings"]["epochs"]),
        "step": state["step"] if state and state["epoch"] > done else 0,
        "best": best,
        "val_auc": figures.get("val_auc"),
        "val_video_auc": figures.get("val_video_auc"),
    }


def is_finished(known: dict[str, Any]) -> bool:
    """Whether a recipe's run has all its epochs, or ended early by itself."""
    return bool(known.get("ended")) or epochs_done(known) >= known["settings"]["epochs"]


def epochs_done(known: dict[str, Any]) -> int:
    """How many epochs a recipe records as done."""
    return max((int(facts["epoch"]) for facts in [*known["history"], *known["snapshots"].values()]), default=0)


def progress(folder: Path) -> dict[str, Any] | None:
    """Where the saved state of a run is: ``epoch``, the one it is in, ``step``, those done of it, and sums; None if none is."""
    try:
        with zipfile.ZipFile(folder / STATE) as archive:
            found = json.loads(archive.read(PROGRESS))
            return found if isinstance(found, dict) else None
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None


def is_locked(folder: Path) -> bool:
    """Whether a process trains in this folder; the lock of one that died is none."""
    if not (folder / LOCK).is_file():
        return False
    try:
        with FileLock(folder / LOCK, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # a folder that may only be read
        return False


def newest(folder: Path, holding: str = recipe.NAME) -> Path | None:
    """The run that went on last, of those that have the file `holding`."""
    with listed(folder, required=False) as place:
        found = [path.parent for path in place.path.glob(f"*/{holding}") if (path.parent / recipe.NAME).is_file()]
        newest = max(found, key=lambda each: (each / recipe.NAME).stat().st_mtime, default=None)
        return newest and place.origin(newest)


def find(name: str, folder: Path) -> Path:
    """The folder of a run, by its name in `folder`, by its path, or the newest for ``last``.

    Raises:
        ModelError: there is none.
    """
    candidates = [newest(folder)] if name == LAST else [folder / name, Path(name)]
    for each in candidates:
        if each and here(each / recipe.NAME).is_file():
            return each
    raise ModelError(
        f"There is no run {name}: no {recipe.NAME} in {folder / name}. deepfake runs lists those there are."
    )


def called(folder: Path) -> str:
    """What ``--resume`` takes for a run: its name where that will do, or its path."""
    return folder.name if folder.parent == RUNS else url(folder)

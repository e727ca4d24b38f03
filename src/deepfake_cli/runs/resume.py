"""Resume a run: from which file, with which settings, and whether its lists are unchanged."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from deepfake_cli.config import Train
from deepfake_cli.errors import ConfigError, ManifestError, ModelError
from deepfake_cli.runs import recipe
from deepfake_cli.runs.files import BEST, DELETE, STATE
from deepfake_cli.runs.listing import saved_progress
from deepfake_cli.storage.hashes import same
from deepfake_cli.storage.json_files import worded

FREE = {  # settings that may change when a run resumes, since they don't affect the result
    *("resume", "resume_if_there", "runs_dir", "epochs", "gpu", "multi_gpu", "multi_gpu_force", "workers", "cache"),
    *("cluster", "workers_per_run"),
    *("save_every", "save_steps", "snapshots", "onnx", "tensorboard_dir"),
}


@dataclass(frozen=True)
class Start:
    """Where training starts.

    Attributes:
        file: the model to load; None to build one.
        epoch: number of finished epochs.
        step: number of finished steps of the next epoch.
        progress: seeds and metric sums of the saved state; None without one.
    """

    file: Path | None = None
    epoch: int = 0
    step: int = 0
    progress: dict[str, Any] | None = None

    def __str__(self) -> str:
        return f"epoch {self.epoch + 1}, step {self.step}" if self.step else f"the end of epoch {self.epoch}"


def newest_start(folder: Path, facts: dict[str, Any]) -> Start:
    """Where to resume a run: its saved state, its newest snapshot if that is later, or the beginning.

    Args:
        folder: of the run.
        facts: its recipe.

    Raises:
        ModelError: the run has finished epochs, but its snapshots are gone; or its state is broken.
    """
    snapshots, state = facts["snapshots"], saved_progress(folder)
    name = max(snapshots, key=lambda name: (snapshots[name]["epoch"], name != BEST), default=None)
    done = snapshots[name]["epoch"] if name else 0
    if state is None and (folder / STATE).is_file():
        raise ModelError(f"{folder / STATE}: broken or incomplete. {DELETE}")
    if state and state["epoch"] > done:
        return Start(folder / STATE, state["epoch"] - 1, state["step"], state)
    if name:
        return Start(folder / name, done)
    if facts["history"]:
        raise ModelError(f"{folder}: the run's snapshots are gone, so it cannot be resumed. Begin a new run.")
    return Start()


def own_settings(settings: Train, facts: dict[str, Any], folder: Path) -> Train:
    """The settings that a run began with, updated with the given `settings` that don't affect the result.

    Raises:
        ConfigError: a given setting would change the result.
        ModelError: a setting in the recipe is out of range.
    """
    own = {name: value for name, value in facts.get("settings", {}).items() if name in Train.model_fields}
    given = settings.model_dump(mode="json", include=settings.model_fields_set)
    if given.get("batch_size") == "auto":  # as a launcher repeats it: the number that the run found
        del given["batch_size"]
    refused = [name for name in given if name not in FREE and given[name] != own.get(name, given[name])]
    if refused:
        differences = "; ".join(f"{name} {own[name]}, now {given[name]}" for name in refused)
        raise ConfigError(
            f"The run {folder} began with {differences}. This would change its result. Leave the option out to resume the "
            "run as it began. To change it, begin a new run; --snapshot starts one from a snapshot."
        )
    try:
        return Train.model_validate(own | {name: given[name] for name in given if name in FREE})
    except ValidationError as error:
        raise ModelError(f"{folder / recipe.NAME}: settings: {worded(error)} {recipe.MEND}") from None


def lists_of(train_csv: Sequence[Path], val_annotations: Path, *, evaluation: bool) -> list[Path]:
    """The lists that a run reads: those to train on and, with `evaluation`, the one to validate on."""
    return [*train_csv, *([val_annotations] if evaluation else [])]


def check_lists(lists: Sequence[Path], recorded: dict[str, str], folder: Path) -> None:
    """Check that the lists are unchanged since a run began.

    Args:
        lists: as from `lists_of`.
        recorded: their hashes in the recipe, by path.
        folder: of the run, for the message.

    Raises:
        ManifestError: a list has changed.
    """
    changed = [str(path) for path in lists if not same(path, recorded.get(str(path)))]
    if changed:
        raise ManifestError(
            f"{', '.join(changed)}: changed since the run {folder} began; resuming would mix two data sets. "
            "Restore the list, or begin a new run."
        )

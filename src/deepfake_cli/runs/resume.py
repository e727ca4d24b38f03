"""Where a run goes on, with which settings, and whether it may."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepfake_cli.config import Train
from deepfake_cli.errors import ConfigError, ManifestError, ModelError
from deepfake_cli.runs import recipe
from deepfake_cli.runs.listing import BEST, STATE, progress

FREE = {  # what may differ when a run goes on: it doesn't shape the result
    *("resume", "resume_if_there", "runs_dir", "epochs", "gpu", "multi_gpu", "multi_gpu_force", "workers"),
    *("cluster", "workers_per_run"),
    *("save_every", "save_steps", "snapshots", "onnx", "tensorboard_dir"),
}


@dataclass(frozen=True)
class Start:
    """Where training goes on.

    Attributes:
        file: the model to take up; None to begin with a new one.
        epoch: epochs that are done.
        step: steps of the next one that are.
        progress: what the state knows beside the model.
    """

    file: Path | None = None
    epoch: int = 0
    step: int = 0
    progress: dict[str, Any] | None = None

    def __str__(self) -> str:
        return f"epoch {self.epoch + 1}, step {self.step}" if self.step else f"the end of epoch {self.epoch}"


def newest_start(folder: Path, facts: dict[str, Any]) -> Start:
    """The state in the middle of an epoch, the newest snapshot if that is from later, or the beginning."""
    known, state = facts["snapshots"], progress(folder)
    name = max(known, key=lambda name: (known[name]["epoch"], name != BEST), default=None)
    done = known[name]["epoch"] if name else 0
    if state and state["epoch"] > done:
        return Start(folder / STATE, state["epoch"] - 1, state["step"], state)
    if name:
        return Start(folder / name, done)
    if facts["history"]:
        raise ModelError(f"The snapshots of the run {folder} are gone; only its recipe and log are left.")
    return Start()


def own_settings(settings: Train, facts: dict[str, Any], folder: Path) -> Train:
    """The settings that a run began with, with those of `settings` that were given and don't shape the result.

    Raises:
        ConfigError: one that was given does.
    """
    own = {name: value for name, value in facts.get("settings", {}).items() if name in Train.model_fields}
    asked = settings.model_dump(mode="json", include=settings.model_fields_set)
    refused = [name for name in asked if name not in FREE and asked[name] != own.get(name, asked[name])]
    if refused:
        found = "; ".join(f"{name} {own[name]}, now {asked[name]}" for name in refused)
        raise ConfigError(
            f"The run {folder} began with {found}: that would change its result. Leave it out to go on as it began, or "
            "begin a new run; --snapshot begins one from a snapshot."
        )
    return Train.model_validate(own | {name: asked[name] for name in asked if name in FREE})


def lists_of(settings: Train) -> list[Path]:
    """The lists that a run reads."""
    return [*settings.train_csv, *([settings.val_annotations] if settings.evaluation else [])]


def check_lists(settings: Train, known: dict[str, str], folder: Path) -> None:
    """Check that the lists are those that a run began with.

    Raises:
        ManifestError: one of them is not.
    """
    now = recipe.fingerprint(lists_of(settings))
    changed = [path for path, value in now.items() if known.get(path) != value]
    if changed:
        raise ManifestError(
            f"{', '.join(changed)}: changed since the run {folder} began, so that going on would mix two data sets. "
            "Put the list back as it was, or begin a new run."
        )

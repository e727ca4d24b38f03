"""Find a run, or its best snapshot, by what a user names."""

from pathlib import Path

from deepfake_cli.assets import STARTER
from deepfake_cli.config import RUNS
from deepfake_cli.errors import ModelError
from deepfake_cli.runs import recipe
from deepfake_cli.runs.files import BEST
from deepfake_cli.storage.downloads import is_there
from deepfake_cli.storage.near import hint
from deepfake_cli.storage.remote_folder import listed
from deepfake_cli.storage.urls import url

LAST = "last"  # stands for the newest run


def is_run(path: Path) -> bool:
    """Whether a path is the folder of a run."""
    return not path.suffix and is_there(path / recipe.NAME)


def snapshot_of(path: Path, folder: Path) -> Path:
    """The snapshot that a path stands for: ``best.keras`` of a run, by its folder or its name in `folder`; else itself.

    ``starter`` is the detector in the package, as for `deepfake_cli.Detector.load`.
    """
    if str(path) == STARTER.stem and not path.exists():
        return STARTER
    run = next((run for run in (path, folder / path) if is_run(run)), None)
    return run / BEST if run else path


def newest(folder: Path, holding: str = recipe.NAME) -> Path | None:
    """The run in `folder` that was trained last, of those with the file `holding`; None without one."""
    with listed(folder, required=False) as place:
        runs = [path.parent for path in place.path.glob(f"*/{holding}") if (path.parent / recipe.NAME).is_file()]
        latest = max(runs, key=lambda run: (run / recipe.NAME).stat().st_mtime, default=None)
        return latest and place.origin(latest)


def find(name: str, folder: Path) -> Path:
    """The folder of a run, by its name in `folder` or by its path; ``last`` is the newest.

    Raises:
        ModelError: there is no such run.
    """
    candidates = [newest(folder)] if name == LAST else [folder / name, Path(name).expanduser()]
    for candidate in candidates:
        if candidate and is_there(candidate / recipe.NAME):
            return candidate
    if is_run(Path(name).parent):
        raise ModelError(f"{name}: a file of a run. Name the run: {Path(name).parent}")
    raise ModelError(
        f"There is no run {name}: no {recipe.NAME} in {folder / name}.{hint(folder / name)} List the runs with deepfake runs."
    )


def resume_name(folder: Path) -> str:
    """The value of ``--resume`` for a run: its name if it is in the default folder, else its path."""
    return folder.name if folder.parent == RUNS else url(folder)

"""``best.onnx`` beside ``best.keras``: what predict and evaluate run without TensorFlow; never older than its snapshot."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from deepfake_cli.inference.runtimes.metadata import KEY, Traits
from deepfake_cli.runs.listing import BEST, BEST_ONNX
from deepfake_cli.storage.files import whole
from deepfake_cli.storage.remote import here

MOST = 1800  # seconds that an export may take


def write_beside(best: Path) -> str:
    """Export a run's best snapshot, unless that is done already; return why it could not be, or nothing.

    A process of its own does it: converting takes memory that would stay with this one, and TensorFlow here may be one of several
    workers. What can't be exported, such as an operation of the user's own, must not cost a run.
    """
    path = best.with_name(BEST_ONNX)
    if path.is_file():
        return ""
    command = [sys.executable, "-m", "deepfake_cli", "export", str(best), "--output", str(path)]
    alone = {name: value for name, value in os.environ.items() if name != "TF_CONFIG" and not name.startswith("SLURM_")}
    try:
        done = subprocess.run(command, env=alone, capture_output=True, text=True, timeout=MOST)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]


def restamp(snapshot: Path, threshold: float | None, calibration: dict[str, object]) -> Path | None:
    """Tell the exported twin of a run's best snapshot how it is calibrated; return it, or None if there is none.

    Args:
        snapshot: which was calibrated.
        threshold: the one that goes with it; None leaves what the file says.
        calibration: as in the recipe.
    """
    import onnx

    path = snapshot.with_name(BEST_ONNX)
    if snapshot.name != BEST or not here(path).is_file():
        return None
    made = onnx.load(here(path))
    said = {each.key: each.value for each in made.metadata_props}
    traits = Traits.parse(said.get(KEY), path)
    told = replace(traits, calibration=calibration, threshold=traits.threshold if threshold is None else threshold)
    onnx.helper.set_model_props(made, {**said, KEY: told.text})
    with whole(path) as partial:
        onnx.save(made, partial)
    return path

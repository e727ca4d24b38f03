"""``best.onnx``, the export of ``best.keras`` that predict and evaluate run without TensorFlow."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from deepfake_cli.inference.runtimes.metadata import KEY, Traits
from deepfake_cli.runs.listing import BEST, BEST_ONNX
from deepfake_cli.storage.files import whole
from deepfake_cli.storage.remote import here

TIMEOUT = 1800  # seconds for an export


def export_best(best: Path) -> str:
    """Export a run's best snapshot, unless that is done already; return why it failed, or an empty string.

    The export runs in its own process: it needs memory that this process would never free, and TensorFlow here may be one of
    several workers. A model that cannot be exported, such as one with a custom operation, is no reason to lose a run.
    """
    path = best.with_name(BEST_ONNX)
    if path.is_file():
        return ""
    command = [sys.executable, "-m", "deepfake_cli", "export", str(best), "--output", str(path)]
    alone = {name: value for name, value in os.environ.items() if name != "TF_CONFIG" and not name.startswith("SLURM_")}
    try:
        done = subprocess.run(command, env=alone, capture_output=True, text=True, timeout=TIMEOUT)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["deepfake export failed silently"])[-1]


def restamp(snapshot: Path, threshold: float | None, calibration: dict[str, object]) -> Path | None:
    """Write the calibration of a run's best snapshot into its export; return the export, or None if there is none.

    Args:
        snapshot: the snapshot that was calibrated.
        threshold: for the calibrated scores; None to keep the one in the file.
        calibration: as in the recipe.
    """
    import onnx

    path = snapshot.with_name(BEST_ONNX)
    if snapshot.name != BEST or not here(path).is_file():
        return None
    exported = onnx.load(here(path))
    properties = {entry.key: entry.value for entry in exported.metadata_props}
    traits = Traits.parse(properties.get(KEY), path)
    new = replace(traits, calibration=calibration, threshold=traits.threshold if threshold is None else threshold)
    onnx.helper.set_model_props(exported, {**properties, KEY: new.text})
    with whole(path) as partial:
        onnx.save(exported, partial)
    return path

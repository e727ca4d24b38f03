"""The detector of a snapshot, on the devices that were asked for."""

import os
from pathlib import Path
from typing import Any

from deepfake_cli.config import Evaluate
from deepfake_cli.quiet import quiet


def detector(settings: Evaluate, snapshot: Path) -> Any:
    """Load a snapshot under the strategy of its devices, which its predictions then follow.

    Raises:
        ModelError: it can't be read.
        DeviceError: GPUs are asked for that aren't there.
    """
    with quiet():
        from deepfake_cli import devices
        from deepfake_cli.models import load_model

    plan = devices.choose(
        settings.gpu, settings.multi_gpu, settings.multi_gpu_force, devices.visible_gpus(), os.cpu_count() or 1
    )
    with devices.open_strategy(plan).scope():
        return load_model(snapshot, settings.model, settings.image_size)

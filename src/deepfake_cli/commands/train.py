"""``deepfake train``: train a detector, on this machine or on a Ray cluster."""

from collections.abc import Sequence
from typing import Any

from deepfake_cli.config import Train
from deepfake_cli.training import session
from deepfake_cli.training.events import Progress
from deepfake_cli.training.own import Own
from deepfake_cli.training.session import TrainResult


def train(
    settings: Train,
    progress: Progress = lambda event: None,
    model: Any = None,
    optimizer: Any = None,
    callbacks: Sequence[Any] = (),
) -> TrainResult:
    """Train a detector, or resume a run.

    Args:
        settings: see `deepfake_cli.config.Train`.
        progress: called with events: when training starts, after each step and each epoch.
        model: a Keras model to train instead of the one of the settings; see `deepfake_cli.training.own.Own`.
        optimizer: a Keras optimizer, instead of the one of the settings.
        callbacks: Keras callbacks, called after those of the run.

    Returns:
        The paths of the snapshots, and the metrics of every epoch.

    Raises:
        ManifestError: a list is missing, has one class only or missing images, or shares groups with the validation list.
        ModelError: weights, snapshot or run are missing, a file cannot be written, or training diverged.
        ConfigError: the folder of the run is in use, the resumed run has other settings, or the Keras objects and the settings
            cannot be combined.
        DeviceError: requested GPUs are missing, or one of several workers is lost or differs.
        ClusterError: the cluster is missing or cannot run the training.
    """
    own = Own(model, optimizer, callbacks)
    settings = own.applied(settings)
    if settings.cluster:
        from deepfake_cli.training.on_ray import train_there

        return train_there(settings, progress)
    return session.train(settings, progress, own)

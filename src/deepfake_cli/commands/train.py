"""``deepfake train``: on this machine or on a Ray cluster."""

from deepfake_cli.config import Train
from deepfake_cli.training import session
from deepfake_cli.training.events import Progress
from deepfake_cli.training.session import TrainResult


def train(settings: Train, progress: Progress = lambda event: None) -> TrainResult:
    """Train a detector, or resume a run.

    Args:
        settings: see `deepfake_cli.config.Train`.
        progress: called with events: when training starts, after each step and each epoch.

    Returns:
        The paths of the snapshots, and the metrics of every epoch.

    Raises:
        ManifestError: a list is missing, has one class only or missing images, or shares groups with the validation list.
        ModelError: weights, snapshot or run are missing, a file cannot be written, or training diverged.
        ConfigError: the folder of the run is in use, or the resumed run has other settings.
        DeviceError: requested GPUs are missing, or one of several workers is lost or differs.
        ClusterError: the cluster is missing or cannot run the training.
    """
    if settings.cluster:
        from deepfake_cli.training.on_ray import train_there

        return train_there(settings, progress)
    return session.train(settings, progress)

"""``deepfake train``: on this machine, or on the machines of a Ray cluster."""

from deepfake_cli.config import Train
from deepfake_cli.training import session
from deepfake_cli.training.events import Progress
from deepfake_cli.training.session import TrainResult


def train(settings: Train, progress: Progress = lambda event: None) -> TrainResult:
    """Train a detector, or go on training one.

    Args:
        settings: see `deepfake_cli.config.Train`.
        progress: called as training begins, after each step and after each epoch.

    Returns:
        Where the snapshots are, and the figures of every epoch.

    Raises:
        ManifestError: a list is missing, has one class only, names images that aren't there, or shares groups with the
            validation list.
        ModelError: weights, snapshot or the run to go on with can't be had, a file can't be written, or the loss is no
            number any more.
        ConfigError: the run's folder holds one already, or one to go on with began with other settings.
        DeviceError: GPUs are asked for that aren't there, or another of several machines is lost or differs.
        ClusterError: the cluster is not there, or can't do it.
    """
    if settings.cluster:
        from deepfake_cli.training.on_ray import train_there

        return train_there(settings, progress)
    return session.train(settings, progress)

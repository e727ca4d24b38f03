"""A training on the machines of a Ray cluster."""

import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from deepfake_cli.config import Train
from deepfake_cli.distributed import environment, together
from deepfake_cli.errors import ClusterError
from deepfake_cli.runs.folder import chosen_folder, going_on, new_name
from deepfake_cli.storage.remote import is_remote
from deepfake_cli.training.events import Event, Noted, Progress, Stepped
from deepfake_cli.training.session import TrainResult, read_lists, train

SECONDS = 0.5  # between two steps that are told of: each travels


def train_there(settings: Train, progress: Progress) -> TrainResult:
    """Train on a cluster as `deepfake_cli.training.session.train` does here; where a machine is lost, go on from the last state.

    Raises:
        ClusterError: there is no such cluster, one of its machines can't do our work, or workers died too often.
        DeepfakeError: as `train` raises it.
    """
    settings, results = _named(going_on(settings)), list[TrainResult]()
    if not settings.resume:
        read_lists(settings)  # a fault in them shows at once

    def told(event: Event | TrainResult | str) -> None:
        if isinstance(event, TrainResult):
            results.append(event)
        else:
            progress(Noted(event) if isinstance(event, str) else event)

    if not is_remote(settings.runs_dir):
        settings.runs_dir.mkdir(parents=True, exist_ok=True)
    together(
        partial(_work, settings.model_copy(update={"cluster": None, "gpu": None if _gpus(settings) else settings.gpu})),
        told,
        workers=settings.workers_per_run,
        gpus=_gpus(settings),
        cluster=str(settings.cluster),
        shared=settings.runs_dir,
    )
    if not results:
        raise ClusterError(
            f"The workers ended without a result; deepfake runs shows what there is in {settings.runs_dir}."
        )
    return results[-1]


def _named(settings: Train) -> Train:
    """The settings, with a name by which all workers and all attempts find the run."""
    if settings.resume:
        return settings
    named = chosen_folder(settings) is not None
    name = {} if named else {"run": new_name(settings.model)}
    return settings.model_copy(update={"resume_if_there": True, **name})


def _gpus(settings: Train) -> bool | None:
    """Whether each worker needs a GPU; which one, the cluster says."""
    return None if settings.gpu is None else settings.gpu not in ("cpu", "-1")


def _work(settings: Train, tell: Callable[[Any], None]) -> None:
    """What a worker does; the chief tells of it."""
    ours, last = environment.found(os.environ), 0.0

    def progress(event: Event) -> None:
        nonlocal last
        now = time.monotonic()
        if isinstance(event, Stepped) and now - last < SECONDS:
            return
        last = now
        tell(event)

    chief = not ours or ours.is_chief
    result = train(settings, progress if chief else lambda event: None)
    if chief:
        tell(result)

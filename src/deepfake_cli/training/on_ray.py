"""Train on the machines of a Ray cluster."""

import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from deepfake_cli.config import Train
from deepfake_cli.distributed import environment, together
from deepfake_cli.errors import ClusterError
from deepfake_cli.runs.folder import chosen_folder, new_name, resumed_if_there
from deepfake_cli.storage.urls import is_remote
from deepfake_cli.training.events import Event, Noted, Progress, Stepped
from deepfake_cli.training.session import TrainResult, read_lists, train

SECONDS = 0.5  # at least between two steps that are reported, since each report is sent to the driver


def train_there(settings: Train, progress: Progress) -> TrainResult:
    """Train on a cluster as `deepfake_cli.training.session.train` does on this machine; resume if a machine is lost.

    Raises:
        ClusterError: there is no such cluster, one of its machines cannot do the work, or workers died too often.
        DeepfakeError: as `train` raises it.
    """
    settings, results = _named(resumed_if_there(settings)), list[TrainResult]()
    if not settings.resume:
        read_lists(settings)  # report faulty lists before the cluster starts

    def receive(event: Event | TrainResult | str) -> None:
        if isinstance(event, TrainResult):
            results.append(event)
        else:
            progress(Noted(event) if isinstance(event, str) else event)

    if not is_remote(settings.runs_dir):
        settings.runs_dir.mkdir(parents=True, exist_ok=True)
    gpus = _need_gpus(settings.gpu)
    together(
        partial(_work, settings.model_copy(update={"cluster": None, "gpu": None if gpus else settings.gpu})),
        receive,
        workers=settings.workers_per_run,
        gpus=gpus,
        cluster=str(settings.cluster),
        shared=settings.runs_dir,
    )
    if not results:
        raise ClusterError(
            f"The workers ended without a result. List what they saved: deepfake runs --runs-dir {settings.runs_dir}"
        )
    return results[-1]


def _named(settings: Train) -> Train:
    """The settings with a run name, so that all workers and all retries find the same run."""
    if settings.resume:
        return settings
    named = chosen_folder(settings.run, settings.runs_dir, settings.snapshot_path) is not None
    name = {} if named else {"run": new_name(settings.model)}
    return settings.model_copy(update={"resume_if_there": True, **name})


def _need_gpus(gpu: str | None) -> bool | None:
    """Whether each worker needs a GPU; None if the user left it open. Ray picks the GPU."""
    return None if gpu is None else gpu not in ("cpu", "-1")


def _work(settings: Train, send: Callable[[Any], None]) -> None:
    """Train as one worker; the chief sends progress and result to the driver."""
    workers, last = environment.find_workers(os.environ), 0.0

    def progress(event: Event) -> None:
        nonlocal last
        now = time.monotonic()
        if isinstance(event, Stepped) and now - last < SECONDS:
            return
        last = now
        send(event)

    is_chief = not workers or workers.is_chief
    result = train(settings, progress if is_chief else lambda event: None)
    if is_chief:
        send(result)

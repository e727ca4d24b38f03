"""Judge files on a Ray cluster."""

import socket
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from deepfake_cli.config import Predict
from deepfake_cli.distributed import each
from deepfake_cli.errors import ClusterError
from deepfake_cli.inference.detector import Detector
from deepfake_cli.inference.result import Verdict


class Job(NamedTuple):
    """A file, the settings, and whether the file exists on the driver."""

    path: Path
    settings: Predict
    exists: bool


def predict_there(
    settings: Predict, paths: Sequence[Path], progress: Callable[[Path, int, int], None]
) -> list[Verdict]:
    """Judge files on the cluster; the verdicts are in the order of `paths`.

    Raises:
        ClusterError: there is no such cluster, or a machine of it cannot read the files.
        ModelError: the detector cannot be loaded.
    """
    shared = settings.model_copy(update={"paths": []})  # keeps the jobs small
    verdicts = {}
    for verdict in each(
        judge, [Job(path, shared, path.exists()) for path in paths], lost=_lost, cluster=settings.cluster
    ):
        verdicts[verdict.path] = verdict
        progress(verdict.path, verdict.frames, verdict.frames)
    return [verdicts[path] for path in paths]


def judge(job: Job) -> Verdict:
    """Judge one file in a Ray task, on one core."""
    path, settings, exists = job
    if exists and not path.exists():
        raise ClusterError(
            f"{socket.gethostname()}, a machine of the cluster, cannot read {path.absolute()}. Mount a shared disk at the same "
            "path on all machines (NFS, EFS, Filestore)."
        )
    detector = _detector(settings.detector, settings.runtime, settings.threads or 1, settings.threshold, settings.trust)
    return detector.judge(path, **settings.per_file)


@cache
def _detector(path: Path | None, runtime: str, threads: int, threshold: float | None, trust: Path | None) -> Detector:
    """Load the detector once per process."""
    return Detector.load(path, runtime=runtime, threads=threads, threshold=threshold, trust=trust)


def _lost(job: Job) -> Verdict:
    return Verdict(job.path, reason="the worker process died (out of memory, or a crash in the decoder)")

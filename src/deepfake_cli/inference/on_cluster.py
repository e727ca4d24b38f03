"""Files judged on the machines of a cluster."""

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
    """A file to judge, how, and whether the machine that asks sees it."""

    path: Path
    settings: Predict
    seen: bool


def predict_there(
    settings: Predict, paths: Sequence[Path], progress: Callable[[Path, int, int], None]
) -> list[Verdict]:
    """Judge each file on some machine of the cluster; the verdicts are in the order of `paths`.

    Raises:
        ClusterError: there is no such cluster, or one of its machines doesn't see our files.
        ModelError: it can't load the detector.
    """
    alone = settings.model_copy(update={"paths": []})  # a job need not carry them all
    found = {}
    for verdict in each(
        judge, [Job(path, alone, path.exists()) for path in paths], lost=_lost, cluster=settings.cluster
    ):
        found[verdict.path] = verdict
        progress(verdict.path, verdict.frames, verdict.frames)
    return [found[path] for path in paths]


def judge(job: Job) -> Verdict:
    """What a worker does; a task has one core."""
    path, how, seen = job
    if seen and not path.exists():
        raise ClusterError(
            f"{socket.gethostname()}, a machine of the cluster, does not see {path.absolute()}. Mount one disk under the same "
            "path on all machines (NFS, EFS, Filestore)."
        )
    detector = _detector(how.detector, how.runtime, how.threads or 1, how.threshold)
    return detector.predict(path, **how.per_file)


@cache
def _detector(path: Path | None, runtime: str, threads: int, threshold: float | None) -> Detector:
    """One a process, since loading takes longer than a frame."""
    return Detector.load(path, runtime=runtime, threads=threads, threshold=threshold)


def _lost(job: Job) -> Verdict:
    return Verdict(job.path, reason="the process that read it died (out of memory, or a fault of the decoder)")

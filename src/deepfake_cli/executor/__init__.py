"""Where many jobs run: in processes of this machine, or on the workers of a cluster."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from deepfake_cli.executor import local

Job = TypeVar("Job")
Result = TypeVar("Result")


def each(
    function: Callable[[Job], Result],
    jobs: Sequence[Job],
    *,
    lost: Callable[[Job], Result],
    workers: int | None = None,
    cluster: str | None = None,
    shared: Path | None = None,
) -> Iterator[Result]:
    """Run a function on each job, and yield its results in whatever order they come.

    A process that dies costs no job but the one that killed it.

    Args:
        function: of a module, so that another process finds it.
        jobs: what it is called with; they and the results travel between processes.
        lost: what stands for the result of a job that brought its process down.
        workers: jobs at a time; None for as many as there are cores, here or in the cluster.
        cluster: the Ray cluster to run on: ``"auto"``, ``host:port`` or ``ray://host:port``; None for this machine.
        shared: a folder that the jobs write to, which a cluster's machines have to share with this one.

    Raises:
        ClusterError: there is no such cluster, or one of its machines can't do our jobs.
    """
    if not cluster:
        return local.each(function, jobs, lost, workers)
    from deepfake_cli.executor.on_ray import each as on_ray

    return on_ray(function, jobs, lost, workers, cluster, shared)

"""Where many jobs run: in processes of this machine, or on the workers of a cluster."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from deepfake_cli.distributed import processes

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
        return processes.each(function, jobs, lost, workers)
    from deepfake_cli.distributed.ray_tasks import each as on_ray

    return on_ray(function, jobs, lost, workers, cluster, shared)


class Part(NamedTuple):
    """Some successive items of many."""

    start: int
    items: Sequence[Any]


@dataclass(frozen=True)
class InParts:
    """A job on parts: what it makes of each item, and where they were."""

    function: Callable[[Any], Sequence[Any]]

    def __call__(self, part: Part) -> Part:
        """Do the items of a part."""
        return Part(part.start, self.function(part.items))


def in_parts(
    function: Callable[[Sequence[Job]], Sequence[Result]],
    items: Sequence[Job],
    *,
    size: int,
    lost: Callable[[Sequence[Job]], Sequence[Result]],
    cluster: str,
    progress: Callable[[int, int], None],
) -> list[Result]:
    """Run a function on parts of many small items on a cluster; a result for each item, in their order.

    Args:
        function: of a module; or what can be pickled and called with some of the items, for a result each.
        items: they travel between processes.
        size: of a part: enough that its way there is worth it.
        lost: what stands for the results of a part that brought its process down.
        cluster: see `each`.
        progress: called with how many of how many items are done.

    Raises:
        ClusterError: see `each`.
    """
    parts = [Part(start, items[start : start + size]) for start in range(0, len(items), size)]
    done: dict[int, Sequence[Result]] = {}
    for start, results in each(InParts(function), parts, lost=InParts(lost), cluster=cluster):
        done[start] = results
        progress(sum(map(len, done.values())), len(items))
    return [result for start in sorted(done) for result in done[start]]


def together(
    work: Callable[[Callable[[Any], None]], object],
    told: Callable[[Any], None],
    *,
    workers: int,
    gpus: bool | None,
    cluster: str,
    shared: Path,
) -> None:
    """Run `work` on several workers of a cluster at once; see `deepfake_cli.distributed.ray_train.together`."""
    from deepfake_cli.distributed.ray_train import together as on_ray

    on_ray(work, told, workers=workers, gpus=gpus, cluster=cluster, shared=shared)

"""Run many jobs in processes of this machine, or on a Ray cluster."""

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
    """Run a function on each job, and yield the results as they are done, in any order.

    If a process dies, only the job that killed it is lost; the others run again.

    Args:
        function: a module-level function, so that another process can import it.
        jobs: its arguments; they and the results are pickled.
        lost: returns a substitute for the result of a job that killed its process.
        workers: number of jobs at a time; None for the number of cores, of this machine or of the cluster.
        cluster: the Ray cluster to run on: ``"auto"``, ``host:port`` or ``ray://host:port``; None for this machine.
        shared: a folder that the jobs write to, which all machines of the cluster must share.

    Raises:
        ClusterError: there is no such cluster, or one of its machines cannot run the jobs.
    """
    if not cluster:
        return processes.each(function, jobs, lost, workers)
    from deepfake_cli.distributed import ray_tasks

    return ray_tasks.each(function, jobs, lost, workers, cluster, shared)


class Part(NamedTuple):
    """A slice of the items, from the index `start` on."""

    start: int
    items: Sequence[Any]


@dataclass(frozen=True)
class InParts:
    """Applies a function to a part, and returns the results as a part with the same start."""

    function: Callable[[Any], Sequence[Any]]

    def __call__(self, part: Part) -> Part:
        """Apply the function to the part's items."""
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
    """Run a function on many small items on a cluster, a part at a time; return one result per item, in order.

    Args:
        function: picklable; takes some of the items and returns one result for each.
        items: they and the results are pickled.
        size: items per part; large enough to be worth sending.
        lost: returns substitutes for the results of a part that killed its process.
        cluster: see `each`.
        progress: called with the number of finished items and their total.

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
    receive: Callable[[Any], None],
    *,
    workers: int,
    gpus: bool | None,
    cluster: str,
    shared: Path,
) -> None:
    """Run `work` on several workers of a cluster at the same time; see `deepfake_cli.distributed.ray_train.together`."""
    from deepfake_cli.distributed import ray_train

    ray_train.together(work, receive, workers=workers, gpus=gpus, cluster=cluster, shared=shared)

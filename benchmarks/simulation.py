"""Discrete-event simulation of jobs on a cluster, for scale.py."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True)
class Cluster:
    """Machines, their store, and the process that hands out jobs.

    Attributes:
        nodes: machines.
        cores: of each; a job has one.
        start: seconds until a core takes its first job: the worker's process begins, and loads the package.
        hand_out: seconds of the asking process for each job; it does one after the other.
        link: bytes a second of each machine to the store and back.
        store: bytes a second of the store, for all machines together.
        slowdown: how much longer a job takes where all cores of a machine are busy.
    """

    nodes: int
    cores: int
    start: float = 0.0
    hand_out: float = 0.0
    link: float = float("inf")
    store: float = float("inf")
    slowdown: float = 1.0


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes:
        seconds: until the last job is done.
        busy: share of the cores' time that they computed in.
        bottleneck: what the jobs waited for most: cores, links, store, or hand-out.
    """

    seconds: float
    busy: float
    bottleneck: str


def simulate(cluster: Cluster, seconds: Sequence[float], sizes: Sequence[float]) -> Outcome:
    """Run jobs in their order, each on the first core that is free.

    A transfer gets its share of its machine's link, and of the store, as if all cores transferred at once: that errs to the slow
    side.

    Args:
        cluster: see `Cluster`.
        seconds: of one core that each job computes.
        sizes: bytes that each job reads and writes.
    """
    workers = cluster.nodes * cluster.cores
    rate = min(cluster.link / cluster.cores, cluster.store / workers)
    slowdown = cluster.slowdown if cluster.cores * cluster.nodes > 1 else 1.0
    number = count()
    free = [(cluster.start, next(number)) for _ in range(workers)]
    heapq.heapify(free)
    handed, waited, computed, moved, end = 0.0, 0.0, 0.0, 0.0, 0.0
    for work, size in zip(seconds, sizes, strict=True):
        at, _ = heapq.heappop(free)
        handed += cluster.hand_out
        begin = max(at, handed)
        waited += begin - at
        transfer = size / rate
        done = begin + transfer + work * slowdown
        computed, moved, end = computed + work * slowdown, moved + transfer, max(end, done)
        heapq.heappush(free, (done, next(number)))
    where = "links" if cluster.link / cluster.cores <= cluster.store / workers else "store"
    waits = {"cores": computed, where: moved, "hand-out": waited}
    return Outcome(end, computed / (workers * end), max(waits, key=lambda name: waits[name]))

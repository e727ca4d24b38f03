"""Run jobs in processes of this machine."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import Any, TypeVar

from deepfake_cli.native_output import LEVEL

Job = TypeVar("Job")
Result = TypeVar("Result")


def each(
    function: Callable[[Job], Result], jobs: Sequence[Job], lost: Callable[[Job], Result], workers: int | None
) -> Iterator[Result]:
    """See `deepfake_cli.distributed.each`; with one worker, or one job, in this process."""
    workers = workers or _cores()
    if workers == 1 or len(jobs) == 1:
        yield from map(function, jobs)
        return
    pending = dict(enumerate(jobs))
    while pending:
        yield from _run_pending(function, pending, workers)
        for number in list(pending)[: 2 * workers + 1]:  # a process died; these jobs may have been in it
            yield _run_alone(function, pending.pop(number), lost)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _run_alone(function: Callable[[Job], Result], job: Job, lost: Callable[[Job], Result]) -> Result:
    """Run a job in its own process; the result is `lost(job)` if the process dies."""
    with _processes(1) as pool:
        try:
            return pool.submit(function, job).result()
        except BrokenProcessPool:
            return lost(job)


def _run_pending(function: Callable[[Job], Result], pending: dict[int, Job], workers: int) -> Iterator[Result]:
    """Run jobs and remove the finished ones from `pending`, until none is left or a process dies."""
    with _processes(workers) as pool:
        try:
            futures = {pool.submit(function, job): number for number, job in pending.items()}
            for future in as_completed(futures):
                yield future.result()
                del pending[futures[future]]
        except BrokenProcessPool:
            return
        except BaseException:
            for child in multiprocessing.active_children():
                child.terminate()
            raise


class _Process(SpawnProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802
        with _without_main():
            return SpawnProcess._Popen(process_obj)


class NewProcesses(SpawnContext):
    """Starts new processes, since forking one that runs TensorFlow's threads may hang; they do not load the user's script.

    Python loads it in each, for the functions in it. No job here is of that kind, and a script that calls `split` without
    ``if __name__ == "__main__"`` would begin anew in each process.
    """

    Process = _Process


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide the main module from `multiprocessing`."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _processes(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, NewProcesses(), initializer=_start)


def _start() -> None:
    """Set up a process: ignore Ctrl-C, end when the parent ends, even if killed, and silence image codecs."""
    if os.environ.get(LEVEL) == "3":
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()

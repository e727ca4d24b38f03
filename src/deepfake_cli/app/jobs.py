"""The files of all visitors, from upload to forgotten, and the threads that judge them."""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any, Literal

GONE = 180.0  # seconds without a question after which a visitor has left; browsers let hidden pages ask once a minute
MOST_RESULTS = 200  # that are kept, whatever `keep` says: they lie in memory

State = Literal["uploading", "waiting", "judging", "done", "failed"]
Progress = Callable[[int, int], None]  # how many of how many frames are done
log = logging.getLogger(__name__)


@dataclass
class Result:
    """What is said of a file.

    Attributes:
        facts: the verdict, as for JSON.
        page: the whole report, HTML.
    """

    facts: dict[str, Any]
    page: str


@dataclass
class Job:
    """A file of a visitor.

    Attributes:
        name: what the visitor calls it; only ever shown.
        file: where it lies; gone once it is judged.
        id: nobody can guess it: who knows it may see the result.
        state: how far it is.
        done: frames that are judged.
        total: frames that there are; 0 if nobody knows.
        result: what was found.
        error: why it failed.
        asked: when its visitor last asked, or it was finished, on the monotonic clock.
        dropped: nobody waits for it any more.
    """

    name: str
    file: Path
    id: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    state: State = "uploading"
    done: int = 0
    total: int = 0
    result: Result | None = None
    error: str = ""
    asked: float = field(default_factory=time.monotonic)
    dropped: bool = False

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ("done", "failed")


class Full(Exception):  # noqa: N818 - as the queue of the standard library has it
    """No more files are taken now."""


class _Stop(Exception):  # noqa: N818 - no fault, the way out of a file that is being judged
    pass


class Jobs:
    """All jobs, and the threads that work on them.

    Args:
        judge: from a job to what is said of it; called on several threads at once.
        folder: where uploads lie.
        workers: how many are judged at once.
        most: how many may be unfinished at once.
        keep: seconds after which a result is forgotten.
        longest: seconds that one may be judged.
    """

    def __init__(
        self,
        judge: Callable[[Job, Progress], Result],
        folder: Path,
        *,
        workers: int,
        most: int,
        keep: float,
        longest: float,
    ):
        self._judge, self._folder, self._most, self._keep, self._longest = judge, folder, most, keep, longest
        self._all: dict[str, Job] = {}
        self._line: list[Job] = []  # those that wait, the next one first
        self._change = threading.Condition()
        self._closed = False
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    def open(self, name: str) -> Job:
        """A job whose file is about to come.

        Raises:
            Full: too many are under way.
        """
        with self._change:
            if sum(not job.finished for job in self._all.values()) >= self._most:
                raise Full
            job = Job(name, self._folder / secrets.token_hex(16))
            self._all[job.id] = job
            return job

    def enter(self, job: Job) -> None:
        """Its file is there: let it wait for its turn."""
        with self._change:
            job.state, job.asked = "waiting", time.monotonic()
            self._line.append(job)
            self._change.notify()

    def get(self, id: str) -> Job | None:
        """The job of that name, as its visitor asks for it."""
        with self._change:
            job = self._all.get(id)
            if job and not job.finished:
                job.asked = time.monotonic()
            return job

    def before(self, job: Job) -> int:
        """How many wait before it."""
        with self._change:
            return self._line.index(job) if job in self._line else 0

    def drop(self, job: Job) -> None:
        """Forget a job, whatever its state; one that is being judged stops soon."""
        with self._change:
            self._all.pop(job.id, None)
            if job in self._line:
                self._line.remove(job)
            judged = job.state == "judging"
            job.dropped = True
        if not judged:  # else the thread that judges it deletes it
            job.file.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Drop what nobody waits for, and results whose time is over."""
        now = time.monotonic()
        with self._change:
            jobs = list(self._all.values())
        results = [job for job in jobs if job.finished]
        over = {job.id for job in results[: max(0, len(results) - MOST_RESULTS)]}
        for job in jobs:
            longest = self._keep if job.finished else inf if job.state == "uploading" else GONE
            if job.id in over or now - job.asked > longest:
                self.drop(job)

    def close(self, wait: float = 5.0) -> None:
        """Drop all, and wait so many seconds at most for the threads."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        for job in list(self._all.values()):
            self.drop(job)
        end = time.monotonic() + wait
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _work(self) -> None:
        while job := self._next():
            try:
                job.result, state = self._judge(job, self._watch(job)), "done"
            except _Stop as stop:
                job.error, state = str(stop), "failed"
            except Exception:  # one file must not stop the others; the server's log has the traceback
                log.exception("A file could not be judged")
                job.error, state = (
                    "This file could not be judged: a fault of the program, which is in its log.",
                    "failed",
                )
            finally:
                job.file.unlink(missing_ok=True)
            job.asked = time.monotonic()
            job.state = state  # type: ignore[assignment]  # last: who sees it finds the rest

    def _next(self) -> Job | None:
        with self._change:
            self._change.wait_for(lambda: self._closed or self._line)
            if self._closed:
                return None
            job = self._line.pop(0)
            job.state = "judging"
            return job

    def _watch(self, job: Job) -> Progress:
        """What is called as a job goes on: it notes the progress, and ends the job in time."""
        end = time.monotonic() + self._longest

        def progress(done: int, total: int) -> None:
            job.done, job.total = done, total
            if job.dropped:
                raise _Stop
            if time.monotonic() > end:
                minutes = f"{self._longest / 60:g} minute{'s' * (self._longest != 60)}"
                raise _Stop(
                    f"It takes longer than {minutes}, which is the most that a file is given here. Send a shorter piece."
                )

        return progress

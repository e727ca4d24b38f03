"""Jobs: uploaded files from upload to expiry, and the threads that judge them."""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any, Literal

LEAST_RATE = 16_384  # bytes per second of an upload
SLOW = 5.0  # seconds, after which an upload below that rate gives way if its place is needed
GONE = 180.0  # seconds without a request: the visitor has left; browsers let hidden pages poll once a minute
MOST_RESULTS = 200  # kept in memory, whatever `keep` is

State = Literal["uploading", "waiting", "judging", "done", "failed"]
Progress = Callable[[int, int], None]  # frames done, frames in total
log = logging.getLogger(__name__)


@dataclass
class Result:
    """The result for a file.

    Attributes:
        facts: the verdict, for JSON.
        page: the report, as HTML.
    """

    facts: dict[str, Any]
    page: str


@dataclass
class Job:
    """An uploaded file.

    Attributes:
        name: file name given by the visitor; for display only.
        visitor: who sent it; see `deepfake_cli.app.visitors.visitor`.
        file: path of the upload; deleted once judged.
        id: unguessable; grants access to the result.
        state: of the job.
        received: number of bytes uploaded; infinite once the file is complete.
        done: number of frames judged.
        total: number of frames; 0 if unknown.
        result: set when done.
        error: message, if failed.
        asked: time of the last request of its visitor, or of its end, on the monotonic clock.
        dropped: cancelled.
    """

    name: str
    visitor: str
    file: Path
    id: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    state: State = "uploading"
    received: float = 0
    done: int = 0
    total: int = 0
    result: Result | None = None
    error: str = ""
    asked: float = field(default_factory=time.monotonic)
    dropped: bool = False

    @property
    def finished(self) -> bool:
        """Whether the job is done or failed."""
        return self.state in ("done", "failed")

    @property
    def rate(self) -> float:
        """Bytes per second of the upload; infinite if it is complete, or has just begun."""
        passed = time.monotonic() - self.asked
        return self.received / passed if self.state == "uploading" and passed > SLOW else inf

    def delete_file(self) -> None:
        """Delete the upload, if it is there; a fault must stop neither a worker nor the sweeper, and goes to the log."""
        try:
            self.file.unlink(missing_ok=True)
        except OSError:
            log.exception("Failed to delete an upload")


class Full(Exception):  # noqa: N818 - as `queue.Full`
    """The queue is full, or the visitor's share of it."""


class _Stop(Exception):  # noqa: N818 - not an error: stops a job
    pass


class Jobs:
    """The queue of jobs, and its worker threads.

    Args:
        judge: from a job to its result; called on several threads at once.
        folder: for uploads.
        workers: number of threads.
        most: maximum number of unfinished jobs; half of them, rounded up, of one visitor.
        keep: seconds until a result expires.
        longest: maximum seconds per job.

    Attributes:
        share: maximum number of unfinished jobs of one visitor.
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
        self.share = (most + 1) // 2
        self._all: dict[str, Job] = {}
        self._line: list[Job] = []  # waiting jobs, next first
        self._change = threading.Condition()
        self._closed = False
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    def open(self, name: str, visitor: str) -> Job:
        """Create a job for an upload; if there is no place, the slowest upload below `LEAST_RATE` gives way.

        Raises:
            Full: too many jobs are unfinished, of all visitors or of this one.
        """
        with self._change:
            held = [job for job in self._all.values() if not job.finished]
            own = [job for job in held if job.visitor == visitor]
            if len(own) >= self.share:
                self._make_room(
                    own, f"{self.share} of your files are in progress. Try again when one of them is judged."
                )
            elif len(held) >= self._most:
                self._make_room(held, "the queue is full. Try again in a few minutes.")
            job = Job(name, visitor, self._folder / secrets.token_hex(16))
            self._all[job.id] = job
            return job

    def _make_room(self, jobs: list[Job], why: str) -> None:
        slowest = min(jobs, key=lambda job: job.rate)
        if slowest.rate >= LEAST_RATE:
            raise Full(f"Busy: {why}")
        self.drop(slowest)

    def enter(self, job: Job) -> None:
        """Queue a job once its file is uploaded."""
        with self._change:
            job.state, job.asked = "waiting", time.monotonic()
            self._line.append(job)
            self._change.notify()

    def get(self, id: str) -> Job | None:
        """Return a job by its id, for a request of its visitor."""
        with self._change:
            job = self._all.get(id)
            if job and not job.finished:
                job.asked = time.monotonic()
            return job

    def before(self, job: Job) -> int:
        """Number of jobs ahead in the queue."""
        with self._change:
            return self._line.index(job) if job in self._line else 0

    def drop(self, job: Job) -> None:
        """Cancel and remove a job, in any state; a running one stops soon."""
        with self._change:
            self._all.pop(job.id, None)
            if job in self._line:
                self._line.remove(job)
            judged = job.state == "judging"
            job.dropped = True
        if not judged:  # else its thread deletes it
            job.delete_file()

    def sweep(self) -> None:
        """Drop abandoned jobs and expired results."""
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
        """Drop all jobs, and wait up to this many seconds for the threads."""
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
            except Exception:  # must not stop the other jobs; the traceback goes to the log
                log.exception("Failed to judge a file")
                job.error, state = (
                    "Internal error: cannot judge this file. See the log of the server.",
                    "failed",
                )
            finally:
                job.delete_file()
            job.asked = time.monotonic()
            job.state = state  # type: ignore[assignment]  # last, so that readers of the state see the rest

    def _next(self) -> Job | None:
        with self._change:
            self._change.wait_for(lambda: self._closed or self._line)
            if self._closed:
                return None
            job = self._line.pop(0)
            job.state = "judging"
            return job

    def _watch(self, job: Job) -> Progress:
        """Return a callback that records the progress and stops cancelled or overdue jobs."""
        end = time.monotonic() + self._longest

        def progress(done: int, total: int) -> None:
            job.done, job.total = done, total
            if job.dropped:
                raise _Stop
            if time.monotonic() > end:
                minutes = f"{self._longest / 60:g} minute{'s' * (self._longest != 60)}"
                raise _Stop(f"Time limit of {minutes} exceeded. Send a shorter video.")

        return progress

"""Routes: the page and the API of its script.

``POST /jobs?name=clip.mp4`` with the file as body, ``GET`` and ``DELETE /jobs/ID``, ``GET /jobs/ID/report``.
"""

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import AsyncIterator
from importlib.resources import files
from math import inf
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from deepfake_cli.app import kinds
from deepfake_cli.app.guard import Guard
from deepfake_cli.app.jobs import LEAST_RATE, Full, Job, Jobs
from deepfake_cli.app.visitors import visitor
from deepfake_cli.errors import VideoError
from deepfake_cli.reporting.html import render

TIMEOUT = 30.0  # seconds between two chunks of an upload
LONGEST = 1800.0  # seconds for an upload
SWEEP = 5.0  # seconds between two sweeps of expired jobs
NAME = 120  # characters of a file name that are shown
REPORT_POLICY = (  # same origin, to fit the height of the frame; scripts are forbidden
    "sandbox allow-same-origin; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)

log = logging.getLogger(__name__)


class Rejected(Exception):  # noqa: N818 - a response rather than an error
    """A rejected upload.

    Attributes:
        status: HTTP status code.
    """

    def __init__(self, status: int, why: str):
        super().__init__(why)
        self.status = status


def application(jobs: Jobs, detector: str, *, host: str, max_mb: float, keep: float) -> Guard:
    """Build the ASGI application.

    Args:
        jobs: the queue.
        detector: name and threshold of the detector, for the page.
        host: name or address that the server listens on.
        max_mb: upload limit in MB.
        keep: minutes until a result expires.
    """
    answers = _Answers(jobs, max_mb)
    page, style, script = (
        render(
            "app/page.html.jinja", max_mb=max_mb, keep=keep, detector=detector, taken=kinds.TAKEN, places=jobs.share
        ),
        _text("reporting/report.css") + _text("app/app.css"),
        _text("app/app.js") + _text("app/inputs.js"),
    )

    async def sweep() -> None:
        while True:
            try:
                jobs.sweep()
            except Exception:  # or nothing would expire any more
                log.exception("Failed to drop expired jobs")
            await asyncio.sleep(SWEEP)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        sweeper = asyncio.create_task(sweep())
        yield
        sweeper.cancel()

    routes = [
        Route("/", lambda request: HTMLResponse(page)),
        Route("/app.css", lambda request: Response(style, media_type="text/css")),
        Route("/app.js", lambda request: Response(script, media_type="text/javascript")),
        Route("/jobs", answers.upload, methods=["POST"]),
        Route("/jobs/{id}", answers.state),
        Route("/jobs/{id}", answers.drop, methods=["DELETE"]),
        Route("/jobs/{id}/report", answers.report),
    ]
    return Guard(Starlette(routes=routes, lifespan=lifespan, exception_handlers={Exception: _fault}), host)


class _Answers:
    """Request handlers for jobs."""

    def __init__(self, jobs: Jobs, max_mb: float):
        self._jobs, self._most = jobs, int(max_mb * 1e6)

    async def upload(self, request: Request) -> Response:
        """Receive a file and queue it."""
        address = request.client.host if request.client else ""
        try:
            job = self._jobs.open(shown(request.query_params.get("name", "")), visitor(address))
        except Full as full:
            return _error(503, str(full))
        entered = False
        try:
            await self._receive(request, job)
            job.file = await run_in_threadpool(kinds.settle, job.file)
            self._jobs.enter(job)
            entered = True
        except Rejected as rejected:
            return _error(rejected.status, str(rejected))
        except VideoError as error:
            return _error(415, str(error))
        except OSError as error:
            return _error(507, f"The server cannot store the file: {error.strerror}.")
        except asyncio.CancelledError:
            return _error(503, "The server is shutting down.")
        finally:  # whatever happened: its place is free again, and its file is gone
            if not entered:
                self._jobs.drop(job)
        return JSONResponse({"id": job.id}, 201)

    async def _receive(self, request: Request, job: Job) -> None:
        """Write the body to the file of a job.

        Raises:
            Rejected: the upload is too large, too slow or incomplete.
        """
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._most:
            raise self._too_large()
        size, chunks, start = 0, request.stream(), time.monotonic()
        with job.file.open("xb") as file:
            while True:
                left = start + min(LONGEST, TIMEOUT + size / LEAST_RATE) - time.monotonic()
                try:
                    chunk = await asyncio.wait_for(anext(chunks, None), min(TIMEOUT, left))
                except TimeoutError:
                    raise self._too_slow() from None
                except ClientDisconnect:
                    raise Rejected(400, "The upload was interrupted.") from None
                if job.dropped:  # its place was needed
                    raise self._too_slow()
                if chunk is None:
                    job.received = inf
                    return
                job.received = size = size + len(chunk)
                if size > self._most:
                    raise self._too_large()
                file.write(chunk)

    def _too_slow(self) -> Rejected:
        return Rejected(
            408,
            f"The upload is too slow: it needs {LEAST_RATE // 1024} kB per second, no pause of {TIMEOUT:g} seconds, and an "
            f"end within {LONGEST / 60:g} minutes.",
        )

    def _too_large(self) -> Rejected:
        return Rejected(413, f"File too large: the limit is {self._most / 1e6:g} MB.")

    async def state(self, request: Request) -> Response:
        """Return state and progress of a job; once done, its verdict as in ``deepfake predict --json``, with exact scores."""
        job = self._jobs.get(request.path_params["id"])
        if job is None:
            return _not_found()
        state: dict[str, Any] = {"name": job.name, "state": job.state, "done": job.done, "total": job.total}
        if job.state == "waiting":
            state["before"] = self._jobs.before(job)
        if job.error:
            state["error"] = job.error
        if job.state == "done" and job.result:
            state["verdict"] = job.result.facts
        return JSONResponse(state)

    async def drop(self, request: Request) -> Response:
        """Cancel and remove a job."""
        job = self._jobs.get(request.path_params["id"])
        if job:
            self._jobs.drop(job)
        return Response(status_code=204)

    async def report(self, request: Request) -> Response:
        """Return the report; with ``?download``, as an attachment."""
        job = self._jobs.get(request.path_params["id"])
        if job is None or job.result is None:
            return _not_found()
        headers = {"Content-Security-Policy": REPORT_POLICY}
        if "download" in request.query_params:
            headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(_saved(job), safe='')}"
        return HTMLResponse(job.result.page, headers=headers)


def shown(name: str) -> str:
    """Return a file name for display: last part of the path, no control characters, at most `NAME` characters."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(letter for letter in last if letter.isprintable()).strip()[-NAME:] or "file"


def _saved(job: Job) -> str:
    return f"{Path(job.name).stem.lstrip('.') or 'file'}-deepfake-report.html"


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status, {"Connection": "close"})  # do not wait for the rest of the body


def _not_found() -> Response:
    return JSONResponse({"error": "Result not found: it may have expired. Send the file again."}, 404)


def _fault(request: Request, error: Exception) -> Response:
    log.error("Failed to answer a request", exc_info=error)
    return _error(500, "Internal error. See the log of the server.")


def _text(name: str) -> str:
    return files("deepfake_cli").joinpath(name).read_text(encoding="utf-8")

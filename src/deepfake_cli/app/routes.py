"""What the server answers: the page, and the few addresses that its script asks.

``POST /jobs?name=clip.mp4`` with the file as body, ``GET`` and ``DELETE /jobs/ID``, ``GET /jobs/ID/report``.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from deepfake_cli.app import kinds
from deepfake_cli.app.guard import Guard
from deepfake_cli.app.jobs import Full, Job, Jobs
from deepfake_cli.config import App
from deepfake_cli.errors import VideoError
from deepfake_cli.reporting.html import render

PATIENCE = 30.0  # seconds that an upload may stand still
SWEEP = 5.0  # seconds between two looks for what can be forgotten
NAME = 120  # letters of a file's name that are shown
REPORT_POLICY = (  # same origin, so that the page can fit the frame's height; without scripts nothing can make use of it
    "sandbox allow-same-origin; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)

log = logging.getLogger(__name__)


class Refused(Exception):  # noqa: N818 - an answer more than an error
    """An upload that is not taken.

    Attributes:
        status: of HTTP.
    """

    def __init__(self, status: int, why: str):
        super().__init__(why)
        self.status = status


def application(jobs: Jobs, settings: App, detector: str) -> Guard:
    """The application, for any ASGI server.

    Args:
        jobs: what judges.
        settings: see `deepfake_cli.config.App`.
        detector: which one judges, in words.
    """
    answers = Answers(jobs, settings)
    page, style, script = (
        _page(settings, detector),
        _text("reporting/report.css") + _text("app/app.css"),
        _text("app/app.js"),
    )

    async def sweep() -> None:
        while True:
            jobs.sweep()
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
    return Guard(Starlette(routes=routes, lifespan=lifespan, exception_handlers={Exception: _fault}), settings.host)


class Answers:
    """Answers about jobs."""

    def __init__(self, jobs: Jobs, settings: App):
        self._jobs, self._most = jobs, int(settings.max_mb * 1e6)

    async def upload(self, request: Request) -> Response:
        """Take a file, and let it wait for its turn."""
        try:
            job = self._jobs.open(shown(request.query_params.get("name", "")))
        except Full:
            return _refusal(503, "Too many files are being judged. Try again in a few minutes.")
        try:
            await self._receive(request, job.file)
            job.file = await run_in_threadpool(kinds.settle, job.file)
        except Refused as refused:
            self._jobs.drop(job)
            return _refusal(refused.status, str(refused))
        except VideoError as error:
            self._jobs.drop(job)
            return _refusal(415, str(error))
        except OSError as error:
            self._jobs.drop(job)
            return _refusal(507, f"The server has no room for the file: {error.strerror}.")
        except asyncio.CancelledError:
            self._jobs.drop(job)
            return _refusal(503, "The server stops.")
        self._jobs.enter(job)
        return JSONResponse({"id": job.id}, 201)

    async def _receive(self, request: Request, path: Path) -> None:
        """Write the body to a file, as long as it keeps to the limit.

        Raises:
            Refused: it is too large, or came too slowly, or not to its end.
        """
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._most:
            raise self._too_large()
        size, chunks = 0, request.stream()
        with path.open("xb") as file:
            while True:
                try:
                    chunk = await asyncio.wait_for(anext(chunks, None), PATIENCE)
                except TimeoutError:
                    raise Refused(408, "The upload stood still.") from None
                except ClientDisconnect:
                    raise Refused(400, "The upload broke off.") from None
                if chunk is None:
                    return
                size += len(chunk)
                if size > self._most:
                    raise self._too_large()
                file.write(chunk)

    def _too_large(self) -> Refused:
        return Refused(413, f"The file is larger than {self._most / 1e6:g} MB, the most that is taken here.")

    async def state(self, request: Request) -> Response:
        """How far a job is; when it is done, the verdict as of ``deepfake predict --json``."""
        job = self._jobs.get(request.path_params["id"])
        if job is None:
            return _forgotten()
        told = {"name": job.name, "state": job.state, "done": job.done, "total": job.total}
        if job.state == "waiting":
            told["before"] = self._jobs.before(job)
        if job.error:
            told["error"] = job.error
        if job.state == "done" and job.result:
            told["verdict"] = job.result.facts
        return JSONResponse(told)

    async def drop(self, request: Request) -> Response:
        """Stop a job and forget it."""
        job = self._jobs.get(request.path_params["id"])
        if job:
            self._jobs.drop(job)
        return Response(status_code=204)

    async def report(self, request: Request) -> Response:
        """The whole report, to show or, with ``?download``, to keep."""
        job = self._jobs.get(request.path_params["id"])
        if job is None or job.result is None:
            return _forgotten()
        headers = {"Content-Security-Policy": REPORT_POLICY}
        if "download" in request.query_params:
            headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(_saved(job), safe='')}"
        return HTMLResponse(job.result.page, headers=headers)


def shown(name: str) -> str:
    """What a visitor calls a file, fit to be shown: the last part of a path, without control characters, not too long."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(letter for letter in last if letter.isprintable()).strip()[-NAME:] or "file"


def _saved(job: Job) -> str:
    return f"{Path(job.name).stem.lstrip('.') or 'file'}-deepfake-report.html"


def _refusal(status: int, why: str) -> Response:
    return JSONResponse({"error": why}, status, {"Connection": "close"})  # the rest of a body is not waited for


def _forgotten() -> Response:
    return JSONResponse({"error": "This result is no longer there, or never was. Send the file again."}, 404)


def _fault(request: Request, error: Exception) -> Response:
    log.error("A request could not be answered", exc_info=error)
    return _refusal(500, "A fault of the program, which is in its log.")


def _text(name: str) -> str:
    return files("deepfake_cli").joinpath(name).read_text(encoding="utf-8")


def _page(settings: App, detector: str) -> str:
    return render(
        "app/page.html.jinja", max_mb=settings.max_mb, keep=settings.keep, detector=detector, taken=kinds.TAKEN
    )

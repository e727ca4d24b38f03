"""The server of ``deepfake app``."""

import contextlib
import errno
import socket
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from deepfake_cli.app import uploads
from deepfake_cli.app.jobs import Job, Jobs, Progress, Result
from deepfake_cli.config import App
from deepfake_cli.errors import ConfigError
from deepfake_cli.explain.page import page, part
from deepfake_cli.inference.detector import Detector
from deepfake_cli.installation import install

GRACE = 1  # second for open requests when the server stops


class Server:
    """A server, ready to run.

    Attributes:
        url: of the page.
        detector: name and threshold of the detector.
        public: whether other machines can reach it.
    """

    def __init__(self, detector: str, listening: socket.socket, application: Any):
        import uvicorn

        from deepfake_cli.app.visitors import Connection

        host, port = listening.getsockname()[:2]
        address = ip_address(host.partition("%")[0])
        self.detector, self.public = detector, not address.is_loopback
        name = "127.0.0.1" if address.is_unspecified else f"[{host}]" if address.version == 6 else host
        self.url = f"http://{name}:{port}"
        self._socket = listening
        self._server = uvicorn.Server(
            uvicorn.Config(
                application,
                http=Connection,
                ws="none",
                proxy_headers=False,
                server_header=False,
                access_log=False,
                log_config=None,
                log_level="critical",  # the application reports errors
                limit_concurrency=200,
                timeout_graceful_shutdown=GRACE,
            )
        )

    def run(self) -> None:
        """Serve until `stop` is called or the process is terminated.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed.
        """
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Make `run` return soon; call from any thread."""
        self._server.should_exit = True


@contextlib.contextmanager
def opened(settings: App) -> Iterator[Server]:
    """Open a server with its detector, upload folder and port, and close all of them at the end.

    Raises:
        ConfigError: the extra ``app`` or the runtime is not installed, or the address is unavailable.
        ModelError: the detector cannot be loaded.
    """
    application = _application()
    with _listening(settings.host, settings.port) as listening, uploads.folder() as folder:
        detector = Detector.load(
            settings.detector,
            runtime=settings.runtime,
            threads=settings.threads,
            threshold=settings.threshold,
            trust=settings.trust,
        )
        jobs = Jobs(
            lambda job, progress: _judge(detector, settings.per_file, job, progress),
            folder,
            workers=settings.workers,
            most=settings.queue,
            keep=60 * settings.keep,
            longest=60 * settings.max_minutes,
        )
        name = settings.detector.name if settings.detector else f"the starter detector ({detector.traits.model})"
        said = (f"{name}, {detector.thresholds}", detector.rates, detector.terms)
        words = ". ".join(filter(None, (part.removesuffix(".") for part in said)))
        try:
            yield Server(
                words,
                listening,
                application(jobs, words, host=settings.host, max_mb=settings.max_mb, keep=settings.keep),
            )
        finally:
            jobs.close()


def _judge(detector: Detector, options: dict[str, Any], job: Job, progress: Progress) -> Result:
    """Judge the file of a job; the result has the name given by the visitor."""
    verdict = detector.judge(job.file, **options, progress=progress)
    verdict.record = verdict.record and verdict.record.anonymous()  # the visitor may be anyone
    low, high = verdict.interval or (None, None)
    exact = {"score": verdict.score, "probability": verdict.probability, "low": low, "high": high}  # the browser rounds
    return Result(
        replace(verdict, path=Path(job.name)).facts() | exact, page([part(verdict, job.name, detector)], detector)
    )


def _application() -> Any:
    try:
        import uvicorn  # noqa: F401

        from deepfake_cli.app.routes import application
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn"):
            raise
        raise ConfigError(f"deepfake app needs {error.name}, which is not installed: {install('app')}") from None
    return application


def _listening(host: str, port: int) -> socket.socket:
    """Open a listening socket."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"Port {port} of {host} is in use, maybe by another deepfake app. Use --port {port + 1 if port < 65535 else 0}, "
                "or --port 0 for any free port."
            ) from None
        if error.errno in (errno.EACCES, errno.EPERM):
            raise ConfigError(f"No permission for port {port}. Use --port 0 for any free port.") from None
        raise ConfigError(
            f"{host} is not an address of this machine ({error.strerror}). Omit --host, or use 0.0.0.0 for all addresses."
        ) from None

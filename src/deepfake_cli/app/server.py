"""The server of ``deepfake app``, from its settings to its end."""

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

GRACE = 1  # second that answers under way are given when the server stops


class Server:
    """A server that is ready to run.

    Attributes:
        url: where the page is.
        detector: which detector judges, in words.
        public: whether others than this machine can reach it.
    """

    def __init__(self, settings: App, detector: str, listening: socket.socket, application: Any):
        import uvicorn

        host, port = listening.getsockname()[:2]
        address = ip_address(host.partition("%")[0])
        self.detector, self.public = detector, not address.is_loopback
        name = "127.0.0.1" if address.is_unspecified else f"[{host}]" if address.version == 6 else host
        self.url = f"http://{name}:{port}"
        self._socket = listening
        self._server = uvicorn.Server(
            uvicorn.Config(
                application,
                http="h11",
                ws="none",
                proxy_headers=False,
                server_header=False,
                access_log=False,
                log_config=None,
                log_level="critical",  # faults are told by the application
                limit_concurrency=200,
                timeout_graceful_shutdown=GRACE,
            )
        )

    def run(self) -> None:
        """Answer until `stop` is called, or the process is told to end.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed.
        """
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Let `run` end soon; from any thread."""
        self._server.should_exit = True


@contextlib.contextmanager
def opened(settings: App) -> Iterator[Server]:
    """A server with its detector, its place for uploads and its port; all of them gone at the end.

    Raises:
        ConfigError: the extra ``app`` is not installed, the address is not to be had, or the runtime is not installed.
        ModelError: the detector can't be loaded.
    """
    application = _application()
    with _listening(settings.host, settings.port) as listening, uploads.folder() as folder:
        detector = Detector.load(
            settings.detector, runtime=settings.runtime, threads=settings.threads, threshold=settings.threshold
        )
        jobs = Jobs(
            lambda job, progress: judge(detector, settings, job, progress),
            folder,
            workers=settings.workers,
            most=settings.queue,
            keep=60 * settings.keep,
            longest=60 * settings.max_minutes,
        )
        name = settings.detector.name if settings.detector else f"the starter detector ({detector.traits.model})"
        words = ". ".join(filter(None, [f"{name}, {detector.thresholds}", detector.rates.removesuffix(".")]))
        try:
            yield Server(settings, words, listening, application(jobs, settings, words))
        finally:
            jobs.close()


def judge(detector: Detector, settings: App, job: Job, progress: Progress) -> Result:
    """What is said of a job's file, under the name that its visitor gave it."""
    verdict = detector.predict(job.file, **settings.per_file, progress=progress)
    return Result(replace(verdict, path=Path(job.name)).facts(), page([part(verdict, job.name, detector)], detector))


def _application() -> Any:
    try:
        import uvicorn  # noqa: F401

        from deepfake_cli.app.routes import application
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn"):
            raise
        raise ConfigError(
            f"deepfake app needs {error.name}, which is not installed: pip install 'deepfake-cli[app]'."
        ) from None
    return application


def _listening(host: str, port: int) -> socket.socket:
    """A socket that visitors can already knock at."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"Port {port} of {host} is taken, perhaps by another deepfake app: --port {port + 1 if port < 65535 else 0}, "
                "or --port 0 for any that is free."
            ) from None
        if error.errno in (errno.EACCES, errno.EPERM):
            raise ConfigError(f"Port {port} is not for you: --port 0 takes any that is free.") from None
        raise ConfigError(
            f"{host} is no address of this machine ({error.strerror}): leave --host out, or give 0.0.0.0 for all of them."
        ) from None

"""Run jobs as tasks of a Ray cluster (https://docs.ray.io), which retries those whose worker or machine dies."""

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

from deepfake_cli import __version__
from deepfake_cli.errors import ClusterError
from deepfake_cli.installation import install

Job = TypeVar("Job")
Result = TypeVar("Result")

RETRIES = 3  # of a job whose worker died; after the fourth death the job counts as lost
AHEAD = 2  # submitted jobs per core of the cluster: cores stay busy, and an autoscaler sees the demand
TIMEOUT = 5  # seconds to wait for a cluster; Ray itself would try for minutes


class DriverContext(NamedTuple):
    """What a worker must have in common with the driver.

    Attributes:
        version: of deepfake-cli.
        folder: the driver's working folder.
        mark: a file in a folder that all machines must share; None if there is none.
    """

    version: str
    folder: Path
    mark: Path | None

    @classmethod
    def current(cls, mark: Path | None) -> "DriverContext":
        """The context of this process."""
        return cls(__version__, Path.cwd(), mark)


def each(
    function: Callable[[Job], Result],
    jobs: Sequence[Job],
    lost: Callable[[Job], Result],
    workers: int | None,
    cluster: str,
    shared: Path | None,
) -> Iterator[Result]:
    """See `deepfake_cli.distributed.each`."""
    with connected(cluster) as ray, marked(shared) as mark:
        task = ray.remote(_run).options(num_cpus=1, max_retries=RETRIES, retry_exceptions=False)
        context, waiting = DriverContext.current(mark), iter(jobs)
        running: dict[Any, Job] = {}
        while True:
            room = (workers or AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))) - len(running)
            running |= {task.remote(context, function, job): job for job in islice(waiting, max(0, room))}
            if not running:
                return
            for reference in ray.wait(list(running))[0]:
                yield _result(ray, reference, running.pop(reference), lost)


def _run(context: DriverContext, function: Callable[[Job], Result], job: Job) -> Result:
    """Run a job on a worker."""
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # a task has one core; other tasks use the others
    enter(context)
    return function(job)


def enter(context: DriverContext) -> None:
    """Check the driver's version, change to its working folder, and check that its shared folder is visible here.

    Raises:
        ClusterError: a check fails.
    """
    name = socket.gethostname()
    if context.version != __version__:
        raise ClusterError(
            f"{name} has deepfake-cli {__version__}, the driver {context.version}. Install one version on all machines."
        )
    with suppress(OSError):  # without this folder only absolute paths work, which the mark shows
        os.chdir(context.folder)
    if context.mark and not context.mark.exists():
        raise ClusterError(
            f"{name}, a machine of the cluster, does not see the driver's folder {context.mark.parent.absolute()}. "
            "Mount one disk under the same path on all machines (NFS, EFS, Filestore), and write there."
        )


def _result(ray: Any, reference: Any, job: Job, lost: Callable[[Job], Result]) -> Result:
    faults = ray.exceptions
    try:
        return ray.get(reference)
    except (faults.WorkerCrashedError, faults.NodeDiedError, faults.OutOfMemoryError, faults.ObjectLostError):
        return lost(job)
    except faults.RayTaskError as error:
        raise (error.cause if isinstance(error.cause, Exception) else error) from None
    except faults.RaySystemError as error:
        raise ClusterError(
            f"A machine of the cluster cannot import deepfake-cli. Install version {__version__} there, for the Python that "
            f"runs Ray. ({str(error).strip().splitlines()[-1]})"
        ) from None


@contextmanager
def connected(cluster: str) -> Iterator[Any]:
    """Connect to the cluster and yield Ray's module; an existing connection is used and kept.

    Raises:
        ClusterError: Ray is not installed, or nothing answers at the address.
    """
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # avoids a warning by Ray
    try:
        import ray
    except ImportError:
        raise ClusterError(f"Ray is not installed: {install('cluster')}") from None
    ours = not ray.is_initialized()
    if ours:
        _check_address(cluster)
        try:
            ray.init(cluster, log_to_driver=False, logging_level="error")
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ClusterError(f"--cluster {cluster}: {_first_line(error)} {HOW}") from None
    try:
        yield ray
    finally:
        if ours:
            ray.shutdown()


HOW = (
    "Expected: auto on a machine of the cluster, its head's host:port (6379), or ray://host:10001 from elsewhere. "
    "Start a cluster with ray start --head."
)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _check_address(cluster: str) -> None:
    """Check that something answers at an address.

    Raises:
        ClusterError: nothing does, or it is not an address.
    """
    if cluster == "auto":
        return
    host, _, port = cluster.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise ClusterError(f"--cluster {cluster}: not a host:port. {HOW}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=TIMEOUT).close()
    except OSError as error:
        raise ClusterError(f"--cluster {cluster}: no answer ({error}). {HOW}") from None


@contextmanager
def marked(folder: Path | None) -> Iterator[Path | None]:
    """Make a file in `folder` for the block. A worker that sees it shares the folder, not only the folder's name."""
    if folder is None:
        yield None
        return
    mark = folder / f".cluster-{uuid4().hex}"
    mark.touch()
    try:
        yield mark
    finally:
        mark.unlink(missing_ok=True)

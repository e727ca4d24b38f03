"""Jobs as tasks of a Ray cluster (https://docs.ray.io), which repeats those whose worker or machine dies."""

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

Job = TypeVar("Job")
Result = TypeVar("Result")

RETRIES = 3  # of a job whose worker died; the fourth death is put down to the job
AHEAD = 2  # jobs handed over for each core of the cluster: none idles, and an autoscaler sees that more is wanted
SECONDS = 5  # that a cluster has to answer in; Ray itself would try for minutes


class Here(NamedTuple):
    """What a worker needs to stand where we stand."""

    version: str
    folder: Path
    mark: Path | None

    @classmethod
    def now(cls, mark: Path | None) -> "Here":
        """As it is, with the mark of a folder that all should see."""
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
        here, waiting = Here.now(mark), iter(jobs)
        running: dict[Any, Job] = {}
        while True:
            room = (workers or AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))) - len(running)
            running |= {task.remote(here, function, job): job for job in islice(waiting, max(0, room))}
            if not running:
                return
            for reference in ray.wait(list(running))[0]:
                yield _result(ray, reference, running.pop(reference), lost)


def _run(here: Here, function: Callable[[Job], Result], job: Job) -> Result:
    """What a worker does."""
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # a task has one core, and its neighbours the others
    stand(here)
    return function(job)


def stand(here: Here) -> None:
    """Stand where the asking machine stands: its folder, its version, its disk.

    Raises:
        ClusterError: this machine can't.
    """
    name = socket.gethostname()
    if here.version != __version__:
        raise ClusterError(
            f"{name} has deepfake-cli {__version__}, this machine {here.version}: install one everywhere."
        )
    with suppress(OSError):  # without it, paths have to be absolute, which the mark shows
        os.chdir(here.folder)
    if here.mark and not here.mark.exists():
        raise ClusterError(
            f"{name}, a machine of the cluster, does not see our {here.mark.parent.absolute()}. "
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
            f"A machine of the cluster cannot load deepfake-cli: pip install 'deepfake-cli=={__version__}' there, for the "
            f"Python that runs Ray. ({str(error).strip().splitlines()[-1]})"
        ) from None


@contextmanager
def connected(cluster: str) -> Iterator[Any]:
    """Ray's module, connected; who has connected before us stays connected."""
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # or Ray warns of a change of its own
    try:
        import ray
    except ImportError:
        raise ClusterError("Ray is not installed: pip install 'deepfake-cli[cluster]'.") from None
    ours = not ray.is_initialized()
    if ours:
        _knock(cluster)
        try:
            ray.init(cluster, log_to_driver=False, logging_level="error")
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ClusterError(f"--cluster {cluster}: {_first(error)} {HOW}") from None
    try:
        yield ray
    finally:
        if ours:
            ray.shutdown()


HOW = (
    "Expected: auto on a machine of the cluster, its head's host:port (6379), or ray://host:10001 from elsewhere. "
    "ray start --head begins one."
)


def _first(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _knock(cluster: str) -> None:
    """See whether anybody answers at an address."""
    if cluster == "auto":
        return
    host, _, port = cluster.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise ClusterError(f"--cluster {cluster}: that is no host:port. {HOW}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS).close()
    except OSError as error:
        raise ClusterError(f"--cluster {cluster}: nothing answers there ({error}). {HOW}") from None


@contextmanager
def marked(folder: Path | None) -> Iterator[Path | None]:
    """A file by which a worker knows that it sees the same folder as we, not one of the same name."""
    if folder is None:
        yield None
        return
    mark = folder / f".cluster-{uuid4().hex}"
    mark.touch()
    try:
        yield mark
    finally:
        mark.unlink(missing_ok=True)

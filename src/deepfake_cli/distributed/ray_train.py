"""Train one model on several machines of a Ray cluster, with Ray Train's TensorFlow trainer (https://docs.ray.io/en/latest/train)."""

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from deepfake_cli.distributed.ray_tasks import RETRIES, DriverContext, connected, enter, marked
from deepfake_cli.errors import ClusterError, DeepfakeError, DeviceError
from deepfake_cli.storage.filesystems import located
from deepfake_cli.storage.urls import is_remote

Send = Callable[[Any], None]  # sends an event to the driver
DONE = "done"  # the event of a worker that has finished
Work = Callable[[Send], object]  # the work of each worker


def together(work: Work, receive: Send, *, workers: int, gpus: bool | None, cluster: str, shared: Path) -> None:
    """Run `work` on several workers at the same time, which find each other by ``TF_CONFIG``; restart all if one dies.

    Args:
        work: the work of each worker. It resumes where its last attempt stopped, and writes its results to the shared folder.
        receive: called on the driver with the events that workers send, and with a text if there are too few machines.
        workers: how many, each with a GPU or a core.
        gpus: whether each worker needs a GPU; None to use GPUs if the cluster has any now.
        cluster: see `deepfake_cli.distributed.each`.
        shared: a folder that all machines share, or in an object store.

    Raises:
        ClusterError: there is no such cluster, one of its machines cannot do the work, or workers died too often.
        DeepfakeError: as `work` raised it.
    """
    mark_in = None if is_remote(shared) else shared
    with connected(cluster) as ray, marked(mark_in) as mark, _storage(shared) as storage:
        resources = ray.cluster_resources()
        gpus = "GPU" in resources if gpus is None else gpus
        _note(receive, workers, "GPU" if gpus else "CPU", resources)
        from ray.train import FailureConfig, RunConfig, ScalingConfig
        from ray.train.tensorflow import TensorflowTrainer
        from ray.util.queue import Queue
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        on_driver = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        # on the driver, so that the queue survives the other machines
        queue: Any = Queue(actor_options={"num_cpus": 0, "scheduling_strategy": on_driver})
        trainer = TensorflowTrainer(
            _loop,
            train_loop_config={"work": work, "context": DriverContext.current(mark), "queue": queue},
            scaling_config=ScalingConfig(num_workers=workers, use_gpu=gpus, placement_strategy="SPREAD"),
            run_config=RunConfig(name="train", failure_config=FailureConfig(max_failures=RETRIES), **storage),
        )
        faults: list[DeepfakeError] = []
        listener = threading.Thread(target=_listen, args=(queue, receive, faults), daemon=True)
        listener.start()
        try:
            trainer.fit()
        except ray.train.TrainingFailedError as error:
            raise faults[-1] if faults else ClusterError(_last_line(error)) from None
        except ray.exceptions.RayError as error:  # such as too little memory on the driver's machine
            raise ClusterError(f"Ray ended the training: {str(error).strip().splitlines()[0]}") from None
        finally:  # also after Ctrl-C
            with suppress(Exception):  # the cluster may be gone
                queue.put(None)
                listener.join()
        if faults:
            raise faults[-1]


@contextmanager
def _storage(shared: Path) -> Iterator[dict[str, Any]]:
    """A temporary folder for Ray Train's own files, in the shared folder; yields arguments of Ray's RunConfig."""
    if not is_remote(shared):
        with tempfile.TemporaryDirectory(prefix=".ray-", dir=shared.absolute()) as folder:
            yield {"storage_path": folder}
        return
    from pyarrow.fs import FSSpecHandler, PyFileSystem

    files, key = located(shared / f".ray-{uuid4().hex[:8]}")
    try:
        yield {"storage_path": key, "storage_filesystem": PyFileSystem(FSSpecHandler(files))}
    finally:
        with suppress(Exception):  # a store that is gone must not fail a finished training
            files.rm(key, recursive=True)


def _loop(config: dict[str, Any]) -> None:
    """Run the work on a worker. A user's error is sent to the driver and not retried; after a lost worker, Ray restarts all."""
    os.environ.pop("TF_USE_LEGACY_KERAS", None)  # set by Ray; this package uses Keras 3
    queue = config["queue"]
    try:
        enter(config["context"])
        config["work"](queue.put)
        queue.put(DONE)
    except DeviceError:
        raise
    except DeepfakeError as error:
        queue.put(error)


def _listen(queue: Any, receive: Send, faults: list[DeepfakeError]) -> None:
    while (event := _next_event(queue)) is not None:
        if event == DONE:
            faults.clear()  # of an earlier attempt
        elif isinstance(event, DeepfakeError):
            faults.append(event)
        else:
            receive(event)


def _next_event(queue: Any) -> Any:
    try:
        return queue.get()
    except Exception:  # noqa: BLE001 - the cluster is gone; `fit` raises a better error
        return None


def _note(receive: Send, workers: int, kind: str, resources: dict[str, float]) -> None:
    """Report that the cluster is too small for now; an autoscaler may enlarge it."""
    count = int(resources.get(kind, 0))
    if count < workers:
        receive(f"Waiting for more machines: the cluster has {count} {kind}s for {workers} workers. Stop with Ctrl-C.")


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"Workers died {RETRIES + 1} times: {lines[-1] if lines else type(error).__name__}"

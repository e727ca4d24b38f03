"""One training on several machines of a Ray cluster, by Ray Train's TensorFlow trainer (https://docs.ray.io/en/latest/train)."""

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from deepfake_cli.distributed.ray_tasks import RETRIES, Here, connected, marked, stand
from deepfake_cli.errors import ClusterError, DeepfakeError, DeviceError
from deepfake_cli.storage.remote import is_remote, located

Tell = Callable[[Any], None]  # hands an event to the machine that asked
DONE = "done"  # what a worker tells at its end
Work = Callable[[Tell], object]  # what each worker does


def together(work: Work, told: Tell, *, workers: int, gpus: bool | None, cluster: str, shared: Path) -> None:
    """Run `work` on several workers at once, which find each other in ``TF_CONFIG``; all again when one of them dies.

    Args:
        work: what each does: goes on where its last attempt was, and leaves what comes of it on a disk that all share.
        told: called here with what the workers tell; with a text, if there are too few machines for now.
        workers: how many, each with a GPU or a core.
        gpus: whether each needs a GPU; None for one if the cluster has any now.
        cluster: see `deepfake_cli.distributed.each`.
        shared: a folder on that disk, or in a store.

    Raises:
        ClusterError: there is no such cluster, one of its machines can't do our work, or workers died too often.
        DeepfakeError: as `work` raised it.
    """
    mark_in = None if is_remote(shared) else shared
    with connected(cluster) as ray, marked(mark_in) as mark, _storage(shared) as storage:
        there = ray.cluster_resources()
        gpus = "GPU" in there if gpus is None else gpus
        _note(told, workers, "GPU" if gpus else "CPU", there)
        from ray.train import FailureConfig, RunConfig, ScalingConfig
        from ray.train.tensorflow import TensorflowTrainer
        from ray.util.queue import Queue
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        queue: Any = Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})  # it outlives the other machines
        trainer = TensorflowTrainer(
            _loop,
            train_loop_config={"work": work, "here": Here.now(mark), "queue": queue},
            scaling_config=ScalingConfig(num_workers=workers, use_gpu=gpus, placement_strategy="SPREAD"),
            run_config=RunConfig(name="train", failure_config=FailureConfig(max_failures=RETRIES), **storage),
        )
        faults: list[DeepfakeError] = []
        listener = threading.Thread(target=_listen, args=(queue, told, faults), daemon=True)
        listener.start()
        try:
            trainer.fit()
        except ray.train.TrainingFailedError as error:
            raise faults[-1] if faults else ClusterError(_last_line(error)) from None
        finally:  # also of Ctrl-C
            with suppress(Exception):  # the cluster may be gone
                queue.put(None)
                listener.join()
        if faults:
            raise faults[-1]


@contextmanager
def _storage(shared: Path) -> Iterator[dict[str, Any]]:
    """Where Ray's workers look for each other, beside what they make."""
    if not is_remote(shared):
        with tempfile.TemporaryDirectory(prefix=".ray-", dir=shared.absolute()) as folder:
            yield {"storage_path": folder}
        return
    from pyarrow.fs import FSSpecHandler, PyFileSystem

    files, key = located(shared / f".ray-{uuid4().hex[:8]}")
    try:
        yield {"storage_path": key, "storage_filesystem": PyFileSystem(FSSpecHandler(files))}
    finally:
        with suppress(Exception):  # a store that is gone is no reason to lose what was trained
            files.rm(key, recursive=True)


def _loop(config: dict[str, Any]) -> None:
    """What a worker does. A user's fault is told and not tried again; a lost worker, which the others raise, is Ray's to mend."""
    os.environ.pop("TF_USE_LEGACY_KERAS", None)  # Ray sets it; we use Keras 3
    queue = config["queue"]
    try:
        stand(config["here"])
        config["work"](queue.put)
        queue.put(DONE)
    except DeviceError:
        raise
    except DeepfakeError as error:
        queue.put(error)


def _listen(queue: Any, told: Tell, faults: list[DeepfakeError]) -> None:
    while (event := _next(queue)) is not None:
        if event == DONE:
            faults.clear()  # an earlier attempt's
        elif isinstance(event, DeepfakeError):
            faults.append(event)
        else:
            told(event)


def _next(queue: Any) -> Any:
    try:
        return queue.get()
    except Exception:  # noqa: BLE001 - the cluster is gone, which `fit` says better
        return None


def _note(told: Tell, workers: int, kind: str, there: dict[str, float]) -> None:
    """Say what Ray waits for: an autoscaler may bring it."""
    count = int(there.get(kind, 0))
    if count < workers:
        told(f"The cluster has {count} {kind}s for {workers} workers: waiting for more machines. Ctrl-C gives up.")


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"Workers died {RETRIES + 1} times: {lines[-1] if lines else type(error).__name__}"

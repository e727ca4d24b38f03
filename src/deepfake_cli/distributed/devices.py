"""Choose the devices of a run: `choose` decides and gives the reason, `open_strategy` configures TensorFlow."""

import os
import signal
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from deepfake_cli.distributed import gpu_kernels, nvidia_smi
from deepfake_cli.distributed.environment import Workers
from deepfake_cli.errors import DeviceError

if TYPE_CHECKING:
    import tensorflow as tf  # slow to import: the functions that need it import it


@dataclass(frozen=True)
class Gpu:
    """A GPU that is visible to TensorFlow.

    Attributes:
        index: in TensorFlow's list, from 0, which follows ``CUDA_VISIBLE_DEVICES``.
        name: product name.
        memory_mib: memory in MiB; None if unknown.
    """

    index: int
    name: str
    memory_mib: int | None = None

    def __str__(self) -> str:
        memory = "" if self.memory_mib is None else f", {self.memory_mib} MiB"
        return f"GPU {self.index} ({self.name}{memory})"


@dataclass(frozen=True)
class Plan:
    """The devices of a run.

    Attributes:
        kind: one CPU, one GPU, replicas on several devices of this machine, or on several machines.
        gpus: indices of the GPUs in use on this machine.
        replicas: copies of the model that train in step, on all machines.
        memory_growth: allocate GPU memory as needed, not all at once.
        logical_cpus: number of devices that the CPU is split into; above 1 only to test replicas without GPUs.
        reason: why these devices, for the user.
        workers: the workers that train together; None for one machine.
    """

    kind: Literal["cpu", "gpu", "mirrored", "workers"]
    gpus: tuple[int, ...]
    replicas: int
    memory_growth: bool
    logical_cpus: int
    reason: str
    workers: Workers | None = None


def choose(
    gpu: str | None, multi_gpu: int, force: bool, visible: Sequence[Gpu], cores: int, workers: Workers | None = None
) -> Plan:
    """Choose devices from the options and the machine.

    Args:
        gpu: ``--gpu``: indices such as ``"0"`` or ``"0,1"``; ``"cpu"`` or ``"-1"`` for none; None for no preference.
        multi_gpu: ``--multi-gpu``: number of GPUs to train on; 0 for no preference.
        force: ``--multi-gpu-force``: run the replicas on the CPU if there are too few GPUs.
        visible: the available GPUs.
        cores: number of CPU cores, for the reason.
        workers: the workers that train together, if any. Each uses all GPUs that its launcher gives it, unless `gpu` or
            `multi_gpu` asks for fewer.

    Raises:
        DeviceError: `gpu` is invalid or names a GPU that does not exist, it contradicts `multi_gpu`, or there are fewer GPUs
            than `multi_gpu` without `force`; `force` works on one machine only.
    """
    if multi_gpu < 0:
        raise DeviceError(f"--multi-gpu takes a number of GPUs, 0 or more. Received: {multi_gpu}.")
    selected = _select(gpu, visible)
    if gpu is not None and 0 < len(selected) < multi_gpu:
        raise DeviceError(
            f"--gpu {gpu} and --multi-gpu {multi_gpu} contradict each other: name {multi_gpu} GPUs with --gpu, or leave it out."
        )
    if multi_gpu > len(selected):
        return _replicas_on_cpu(gpu, multi_gpu, force and not workers, selected)
    if workers:
        return _on_workers(workers, _on_gpus(selected[: multi_gpu or None], "") if selected else _on_cpu(gpu, cores))
    if not selected:
        return _on_cpu(gpu, cores)
    if multi_gpu or gpu is not None:
        return _on_gpus(selected[: multi_gpu or None], "")
    more = f" of {len(selected)}; --multi-gpu {len(selected)} would use all" if len(selected) > 1 else ""
    return _on_gpus(selected[:1], more)


def visible_gpus() -> list[Gpu]:
    """Return the GPUs that are visible to TensorFlow, in its order, which follows ``CUDA_VISIBLE_DEVICES``.

    Their memory is read from nvidia-smi, if installed.
    """
    import tensorflow as tf

    gpu_kernels.keep_compiled()
    devices = tf.config.list_physical_devices("GPU")
    names = [tf.config.experimental.get_device_details(device).get("device_name", "GPU") for device in devices]
    cards = nvidia_smi.visible_cards(nvidia_smi.cards(), os.environ.get("CUDA_VISIBLE_DEVICES")) if devices else []
    cards += [None] * len(devices)
    return [
        Gpu(index, name, nvidia_smi.memory(name, card))
        for index, (name, card) in enumerate(zip(names, cards, strict=False))
    ]


def open_strategy(plan: Plan) -> "tf.distribute.Strategy":
    """Configure TensorFlow as planned; return the strategy to build and train the model in.

    Other GPUs become invisible to this process. Call this before the first tensor or model is made; opening the same plan
    again is allowed.

    Raises:
        DeviceError: TensorFlow has already started with other devices, a planned GPU does not exist, or this machine cannot
            join the other workers.
    """
    import tensorflow as tf

    try:
        _configure(tf, plan)
    except (RuntimeError, ValueError) as error:
        raise DeviceError(
            f"TensorFlow has already started with other devices; cannot change to: {plan.reason}. "
            f"Open the plan before the first tensor or model is made, or in a new process. TensorFlow's error: {error}"
        ) from error
    if plan.workers:
        return _join(tf, plan.workers)
    if plan.kind != "mirrored":
        return tf.distribute.get_strategy()  # the default device: the one visible GPU, or the CPU
    device = "gpu" if plan.gpus else "cpu"
    return tf.distribute.MirroredStrategy([f"/{device}:{index}" for index in range(plan.replicas)])


def _select(gpu: str | None, visible: Sequence[Gpu]) -> list[Gpu]:
    """The GPUs that ``--gpu`` allows, in its order."""
    if gpu is None:
        return list(visible)
    if gpu.strip().lower() in ("cpu", "-1"):
        return []
    by_index = {str(card.index): card for card in visible}
    names = [name.strip() for name in gpu.split(",")]
    if len(set(names)) < len(names) or not all(name in by_index for name in names):
        raise DeviceError(
            f"--gpu takes cpu, or indices such as 0 or 0,1, each once. Received: {gpu!r}; {_listing(visible)}."
        )
    return [by_index[name] for name in names]


def _listing(gpus: Sequence[Gpu]) -> str:
    if not gpus:
        return "no GPU is visible to TensorFlow"
    return f"{len(gpus)} visible to TensorFlow: {', '.join(map(str, gpus))}"


def _on_cpu(gpu: str | None, cores: int) -> Plan:
    why = "no GPU is visible to TensorFlow" if gpu is None else f"--gpu {gpu}"
    return Plan("cpu", (), 1, False, 1, f"{why}; using {cores} CPU core{'s' * (cores != 1)}")


def _on_gpus(gpus: Sequence[Gpu], more: str) -> Plan:
    indices = tuple(gpu.index for gpu in gpus)
    reason = f"using {', '.join(map(str, gpus))}{more}"
    return Plan("gpu" if len(gpus) == 1 else "mirrored", indices, len(gpus), True, 1, reason)


def _replicas_on_cpu(gpu: str | None, multi_gpu: int, force: bool, selected: Sequence[Gpu]) -> Plan:
    available = _listing(selected) if gpu is None else f"--gpu {gpu} leaves none"
    if not force:
        raise DeviceError(
            f"--multi-gpu {multi_gpu} asks for more GPUs than there are: {available}. Ask for fewer, or add "
            "--multi-gpu-force to test on the CPU."
        )
    reason = f"{multi_gpu} replicas on the CPU, for testing only (--multi-gpu-force): {available}"
    return Plan("mirrored", (), multi_gpu, False, multi_gpu, reason)


def _on_workers(workers: Workers, own: Plan) -> Plan:
    """The plan of this worker, whose own devices are those of the plan `own`."""
    replicas = own.replicas * workers.size
    return replace(own, kind="workers", replicas=replicas, reason=f"{workers}; {own.reason}", workers=workers)


def _join(tf: Any, workers: Workers) -> "tf.distribute.Strategy":
    """Connect to the other workers. For TensorFlow all of them are workers, and the first is the chief."""
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": list(workers.addresses)}),
        task_type="worker",
        task_id=workers.rank,
        rpc_layer="grpc",
    )
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
    except (RuntimeError, tf.errors.OpError) as error:
        address = workers.addresses[workers.rank]
        raise DeviceError(f"{workers}: cannot connect at {address}. TensorFlow's error: {error}") from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))  # undo TensorFlow's handler, which ignores it
    return strategy


def _configure(tf: Any, plan: Plan) -> None:
    """Set visible devices, memory growth and logical CPUs; TensorFlow accepts unchanged values at any time."""
    if plan.kind == "cpu":  # one operation at a time, on all cores, so that sums are reproducible
        with suppress(RuntimeError):  # TensorFlow was started before, with other threads
            tf.config.threading.set_inter_op_parallelism_threads(1)
    available = tf.config.list_physical_devices("GPU")
    if any(index >= len(available) for index in plan.gpus):
        raise DeviceError(f"The plan needs GPUs {plan.gpus}. Received: {len(available)} visible to TensorFlow.")
    gpus = [available[index] for index in plan.gpus]
    tf.config.set_visible_devices(gpus, "GPU")
    for device in gpus:
        tf.config.experimental.set_memory_growth(device, plan.memory_growth)
    if plan.logical_cpus > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * plan.logical_cpus)

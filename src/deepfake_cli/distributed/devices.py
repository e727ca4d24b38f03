"""Which devices a run uses: `choose` decides and says why, `open_strategy` carries it out in TensorFlow."""

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from deepfake_cli.distributed.environment import Cluster
from deepfake_cli.errors import DeviceError

if TYPE_CHECKING:
    import tensorflow as tf  # seconds to import: only the functions that need it do


@dataclass(frozen=True)
class Gpu:
    """A GPU that TensorFlow sees.

    Attributes:
        index: its place in TensorFlow's list, from 0, after ``CUDA_VISIBLE_DEVICES``.
        name: its product name.
        memory_mib: its memory in MiB; None if that is not known.
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
        kind: one CPU, one GPU, or a mirrored copy of the model on each of several devices, here or on several machines.
        gpus: indices of the GPUs in use on this machine.
        replicas: copies of the model that train in step, on all machines.
        memory_growth: take GPU memory as needed, not all at once.
        logical_cpus: devices that the CPU is presented as; more than 1 only to try out replicas without GPUs.
        reason: why these, for the user to read.
        cluster: the machines that train together, if there are several.
    """

    kind: Literal["cpu", "gpu", "mirrored", "workers"]
    gpus: tuple[int, ...]
    replicas: int
    memory_growth: bool
    logical_cpus: int
    reason: str
    cluster: Cluster | None = None


def choose(
    gpu: str | None, multi_gpu: int, force: bool, visible: Sequence[Gpu], cores: int, cluster: Cluster | None = None
) -> Plan:
    """Decide on devices, from the options and the machine alone.

    Args:
        gpu: ``--gpu``: indices such as ``"0"`` or ``"0,1"``; ``"cpu"`` or ``"-1"`` for none; None to leave it open.
        multi_gpu: ``--multi-gpu``: how many GPUs to train on, 0 to leave it open.
        force: ``--multi-gpu-force``: where GPUs lack, put the replicas on the CPU.
        visible: the GPUs there are.
        cores: CPU cores, for the reason.
        cluster: the machines that train together: each takes all its GPUs, since launchers hand it its own, unless
            `gpu` or `multi_gpu` say less.

    Raises:
        DeviceError: `gpu` is unreadable or names a GPU that is not there, it contradicts `multi_gpu`, or there are
            fewer GPUs than `multi_gpu` and no `force`, which is for one machine.
    """
    if multi_gpu < 0:
        raise DeviceError(f"--multi-gpu is a number of GPUs, 0 or more. Received: {multi_gpu}.")
    selected = _select(gpu, visible)
    if gpu is not None and 0 < len(selected) < multi_gpu:
        raise DeviceError(
            f"--gpu {gpu} and --multi-gpu {multi_gpu} contradict each other: name {multi_gpu} GPUs or none."
        )
    if multi_gpu > len(selected):
        return _replicas_on_cpu(gpu, multi_gpu, force and not cluster, selected)
    if cluster:
        return _on_workers(cluster, _on_gpus(selected[: multi_gpu or None], "") if selected else _on_cpu(gpu, cores))
    if not selected:
        return _on_cpu(gpu, cores)
    if multi_gpu or gpu is not None:
        return _on_gpus(selected[: multi_gpu or None], "")
    more = f" of {len(selected)}; --multi-gpu {len(selected)} would use all" if len(selected) > 1 else ""
    return _on_gpus(selected[:1], more)


def visible_gpus() -> list[Gpu]:
    """Return the GPUs that TensorFlow sees, in its order; it honours ``CUDA_VISIBLE_DEVICES``.

    The memory comes from nvidia-smi, where that program exists.
    """
    import tensorflow as tf

    devices = tf.config.list_physical_devices("GPU")
    names = [tf.config.experimental.get_device_details(device).get("device_name", "GPU") for device in devices]
    cards = _visible_cards(_cards(), os.environ.get("CUDA_VISIBLE_DEVICES")) if devices else []
    cards += [None] * len(devices)
    return [Gpu(index, name, _memory(name, card)) for index, (name, card) in enumerate(zip(names, cards, strict=False))]


def open_strategy(plan: Plan) -> "tf.distribute.Strategy":
    """Set TensorFlow up as planned and return the strategy to build and train the model in.

    Other GPUs become invisible to this process. Must come before the first tensor or model; the same plan may be
    opened again.

    Raises:
        DeviceError: TensorFlow has already started with other devices, a planned GPU is not there, or this machine can't
            join the others.
    """
    import tensorflow as tf

    try:
        _configure(tf, plan)
    except (RuntimeError, ValueError) as error:
        raise DeviceError(
            f"TensorFlow has already started with other devices, so this plan comes too late: {plan.reason}. "
            f"Open it before the first tensor or model is made, or in a new process. TensorFlow says: {error}"
        ) from error
    if plan.cluster:
        return _join(tf, plan.cluster)
    if plan.kind != "mirrored":
        return tf.distribute.get_strategy()  # the one GPU left visible, or the CPU, is where things go by default
    device = "gpu" if plan.gpus else "cpu"
    return tf.distribute.MirroredStrategy([f"/{device}:{index}" for index in range(plan.replicas)])


def _select(gpu: str | None, visible: Sequence[Gpu]) -> list[Gpu]:
    """The GPUs that ``--gpu`` leaves to choose from, in its order."""
    if gpu is None:
        return list(visible)
    if gpu.strip().lower() in ("cpu", "-1"):
        return []
    by_index = {str(found.index): found for found in visible}
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
    indices = tuple(found.index for found in gpus)
    reason = f"using {', '.join(map(str, gpus))}{more}"
    return Plan("gpu" if len(gpus) == 1 else "mirrored", indices, len(gpus), True, 1, reason)


def _replicas_on_cpu(gpu: str | None, multi_gpu: int, force: bool, selected: Sequence[Gpu]) -> Plan:
    there = _listing(selected) if gpu is None else f"--gpu {gpu} leaves none"
    if not force:
        raise DeviceError(
            f"--multi-gpu {multi_gpu} asks for more GPUs than there are: {there}. Ask for fewer, or add "
            "--multi-gpu-force to try it out on the CPU."
        )
    reason = f"{multi_gpu} replicas on the CPU, for testing only (--multi-gpu-force): {there}"
    return Plan("mirrored", (), multi_gpu, False, multi_gpu, reason)


def _on_workers(cluster: Cluster, here: Plan) -> Plan:
    replicas = here.replicas * cluster.size
    return replace(here, kind="workers", replicas=replicas, reason=f"{cluster}; {here.reason}", cluster=cluster)


def _join(tf: Any, cluster: Cluster) -> "tf.distribute.Strategy":
    """Wait for the other machines. They all are workers to TensorFlow, whose first one is the chief."""
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": list(cluster.addresses)}),
        task_type="worker",
        task_id=cluster.rank,
        rpc_layer="grpc",
    )
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
    except (RuntimeError, tf.errors.OpError) as error:
        here = cluster.addresses[cluster.rank]
        raise DeviceError(f"{cluster} can't join at {here}. TensorFlow says: {error}") from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))  # TensorFlow took it, and does nothing then
    return strategy


def _configure(tf: Any, plan: Plan) -> None:
    """Set visible devices, memory growth and logical CPUs; TensorFlow accepts what is set already at any time."""
    if plan.kind == "cpu":  # one operation at a time, each on all cores: sums come out the same every time
        with suppress(RuntimeError):  # a program that has started TensorFlow before chose its own threads
            tf.config.threading.set_inter_op_parallelism_threads(1)
    there = tf.config.list_physical_devices("GPU")
    if any(index >= len(there) for index in plan.gpus):
        raise DeviceError(f"The plan needs GPUs {plan.gpus}. Received: {len(there)} visible to TensorFlow.")
    gpus = [there[index] for index in plan.gpus]
    tf.config.set_visible_devices(gpus, "GPU")
    for device in gpus:
        tf.config.experimental.set_memory_growth(device, plan.memory_growth)
    if plan.logical_cpus > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * plan.logical_cpus)


@dataclass(frozen=True)
class _Card:
    """A GPU as nvidia-smi lists it, all of the machine's, whatever ``CUDA_VISIBLE_DEVICES`` says."""

    uuid: str
    name: str
    memory_mib: int | None


def _cards() -> list[_Card]:
    """Every NVIDIA GPU of the machine, or nothing where nvidia-smi is missing or fails."""
    program = shutil.which("nvidia-smi")
    if not program:
        return []
    query = [program, "--query-gpu=uuid,name,memory.total", "--format=csv,noheader,nounits"]
    try:
        listed = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return _parse_cards(listed)


def _parse_cards(listed: str) -> list[_Card]:
    rows = [[cell.strip() for cell in line.split(",")] for line in listed.splitlines() if line.count(",") == 2]
    return [_Card(uuid, name, int(memory) if memory.isdigit() else None) for uuid, name, memory in rows]


def _visible_cards(cards: list[_Card], mask: str | None) -> list[_Card | None]:
    """`cards` as ``CUDA_VISIBLE_DEVICES`` orders them, by index or the beginning of a UUID; None for unknown ones."""
    if mask is None:
        return list(cards)
    by_index = {str(index): card for index, card in enumerate(cards)}
    names = [name.strip() for name in mask.split(",")]
    return [by_index.get(name) or next((c for c in cards if name and c.uuid.startswith(name)), None) for name in names]


def _memory(name: str, card: _Card | None) -> int | None:
    """The card's memory, if it is the one: CUDA may count GPUs fastest first, where nvidia-smi goes by slot."""
    return card.memory_mib if card and card.name == name else None

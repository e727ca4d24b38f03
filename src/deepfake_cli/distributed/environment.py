"""The workers that train together, as ``TF_CONFIG`` or SLURM describes them."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from deepfake_cli.errors import DeviceError
from deepfake_cli.storage.json_files import parse_json

EXAMPLE = '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, "task": {"type": "worker", "index": 0}}'
TRAINING = ("chief", "worker")  # in the order in which TensorFlow counts them
FIRST_PORT, PORTS = 20_000, 10_000  # of SLURM steps: chosen by job number, so that two jobs on a machine differ


@dataclass(frozen=True)
class Workers:
    """Workers that train one model in step, and which of them this process is.

    Attributes:
        addresses: host:port of each, the chief's first; at least two.
        rank: index of this worker among them.
        task: its type and index, as the launcher counts them.
    """

    addresses: tuple[str, ...]
    rank: int
    task: str

    @property
    def is_chief(self) -> bool:
        """Whether this worker writes the run's files."""
        return self.rank == 0

    @property
    def size(self) -> int:
        """Number of workers."""
        return len(self.addresses)

    def __str__(self) -> str:
        return f"{self.task}{' (chief)' * (self.is_chief and 'chief' not in self.task)} of {self.size} workers"


def find_workers(environment: Mapping[str, str]) -> Workers | None:
    """The workers that the environment describes; None for a single one.

    Args:
        environment: such as ``os.environ``, with ``TF_CONFIG`` or the variables of a SLURM step.

    Raises:
        DeviceError: ``TF_CONFIG`` is invalid, or SLURM started several tasks on a machine.
    """
    text = environment.get("TF_CONFIG", "").strip()
    if text:
        return _from_tf_config(text)
    if environment.get("SLURM_STEP_NUM_TASKS", "1") != "1":
        return _from_slurm(environment)
    return None


def _from_tf_config(text: str) -> Workers | None:
    """The workers in ``TF_CONFIG``, which Kubeflow and Vertex AI set.

    Source: https://www.tensorflow.org/guide/distributed_training#TF_CONFIG.
    """
    try:
        config = parse_json(text, Any, "TF_CONFIG", DeviceError)
    except DeviceError as error:
        _refuse(text, f"is not JSON ({error})")
    if not isinstance(config, dict) or not isinstance(config.get("cluster", {}), dict):
        _refuse(text, "is not an object with a cluster")
    jobs = {name: hosts for name, hosts in config.get("cluster", {}).items() if hosts}
    for name, hosts in jobs.items():
        _check(text, name, hosts)
    addresses = tuple(host for name in TRAINING for host in jobs.get(name, ()))
    if len(set(addresses)) < len(addresses):
        _refuse(text, "names an address twice")
    if not addresses:
        return None
    kind, index = _task(text, config.get("task"), jobs)
    before = len(jobs.get("chief", ())) if kind == "worker" else 0
    return Workers(addresses, before + index, f"{kind} {index}") if len(addresses) > 1 else None


def _check(text: str, name: str, hosts: Any) -> None:
    if name not in TRAINING:
        _refuse(text, f"names {name} tasks, but only chief and worker are supported; workers validate themselves")
    if not isinstance(hosts, list) or not all(isinstance(host, str) and _has_port(host) for host in hosts):
        _refuse(text, f"has no list of host:port under {name}")
    if name == "chief" and len(hosts) > 1:
        _refuse(text, f"names {len(hosts)} chiefs instead of one")


def _has_port(host: str) -> bool:
    name, _, port = host.rpartition(":")
    return bool(name) and port.isdigit()


def _task(text: str, task: Any, jobs: dict[str, list[str]]) -> tuple[str, int]:
    if not isinstance(task, dict) or not str(task.get("index", "")).isdigit():
        _refuse(text, "has no task with type and index")
    kind, index = task.get("type"), int(task["index"])
    if kind not in jobs or index >= len(jobs[kind]):
        _refuse(text, f"has the task {kind} {index}, which is not in its cluster")
    return kind, index


def _refuse(text: str, fault: str) -> NoReturn:
    raise DeviceError(
        f"TF_CONFIG {fault}. Received: {text}\nExpected, for example: {EXAMPLE}\nOn a single machine, unset TF_CONFIG."
    )


def _from_slurm(environment: Mapping[str, str]) -> Workers:
    """The workers of a SLURM step, one task per machine; several would have to share its GPUs."""
    try:
        tasks, nodes, rank = (
            int(environment[f"SLURM_{name}"]) for name in ("STEP_NUM_TASKS", "STEP_NUM_NODES", "PROCID")
        )
        port = FIRST_PORT + int(environment["SLURM_JOB_ID"]) % PORTS
        command = ["scontrol", "show", "hostnames", environment["SLURM_STEP_NODELIST"]]
        hosts = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split()
    except (KeyError, ValueError, OSError, subprocess.SubprocessError) as error:
        raise DeviceError(
            f"This is one of several tasks of a SLURM step, but its machines cannot be determined ({error!r}). "
            f"Set TF_CONFIG in each task, for example: {EXAMPLE}"
        ) from None
    if not tasks == nodes == len(hosts):
        raise DeviceError(
            f"SLURM started {tasks} tasks on {nodes} machines. Start one task per machine with srun --ntasks-per-node=1; it "
            "uses all GPUs that SLURM gives it."
        )
    return Workers(tuple(f"{host}:{port}" for host in hosts), rank, f"task {rank}")

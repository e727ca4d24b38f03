"""Which machines train together: what a launcher says in ``TF_CONFIG``, or SLURM of its step."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from deepfake_cli.errors import DeviceError

EXAMPLE = '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, "task": {"type": "worker", "index": 0}}'
TRAINING = ("chief", "worker")  # in the order in which TensorFlow counts them
FIRST_PORT, PORTS = 20_000, 10_000  # of SLURM's steps: one by the number of the job, so that two on a machine differ


@dataclass(frozen=True)
class Cluster:
    """Workers that train one model in step, and which of them this process is.

    Attributes:
        addresses: host:port of each, the chief's first; at least two.
        rank: this one's place among them.
        task: its type and index, as the launcher counts them.
    """

    addresses: tuple[str, ...]
    rank: int
    task: str

    @property
    def is_chief(self) -> bool:
        """Whether this one writes the run's files."""
        return self.rank == 0

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.addresses)

    def __str__(self) -> str:
        return f"{self.task}{' (chief)' * (self.is_chief and 'chief' not in self.task)} of a cluster of {self.size} workers"


def found(environment: Mapping[str, str]) -> Cluster | None:
    """The cluster that the environment tells of; None for one machine, also where a launcher calls that a cluster.

    Raises:
        DeviceError: ``TF_CONFIG`` can't be used, or SLURM put several tasks on a machine.
    """
    text = environment.get("TF_CONFIG", "").strip()
    if text:
        return _of_tf_config(text)
    if environment.get("SLURM_STEP_NUM_TASKS", "1") != "1":
        return _of_slurm(environment)
    return None


def _of_tf_config(text: str) -> Cluster | None:
    """https://www.tensorflow.org/guide/distributed_training#TF_CONFIG, as Kubeflow and Vertex AI set it."""
    try:
        config = json.loads(text)
    except ValueError as error:
        _refuse(text, f"is no JSON ({error})")
    if not isinstance(config, dict) or not isinstance(config.get("cluster", {}), dict):
        _refuse(text, "is no object with a cluster")
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
    return Cluster(addresses, before + index, f"{kind} {index}") if len(addresses) > 1 else None


def _check(text: str, name: str, hosts: Any) -> None:
    if name not in TRAINING:
        _refuse(text, f"names {name} tasks: only chief and worker train here, and the workers validate themselves")
    if not isinstance(hosts, list) or not all(isinstance(host, str) and _has_port(host) for host in hosts):
        _refuse(text, f"has no list of host:port under {name}")
    if name == "chief" and len(hosts) > 1:
        _refuse(text, f"names {len(hosts)} chiefs: there is one")


def _has_port(host: str) -> bool:
    name, _, port = host.rpartition(":")
    return bool(name) and port.isdigit()


def _task(text: str, task: Any, jobs: dict[str, list[str]]) -> tuple[str, int]:
    if not isinstance(task, dict) or not str(task.get("index", "")).isdigit():
        _refuse(text, "has no task with type and index")
    kind, index = task.get("type"), int(task["index"])
    if kind not in jobs or index >= len(jobs[kind]):
        _refuse(text, f"says that this is {kind} {index}, which its cluster does not name")
    return kind, index


def _refuse(text: str, fault: str) -> NoReturn:
    raise DeviceError(
        f"TF_CONFIG {fault}. Received: {text}\nExpected, for example: {EXAMPLE}\nOn one machine: unset TF_CONFIG."
    )


def _of_slurm(environment: Mapping[str, str]) -> Cluster:
    """A step with one task a machine; tasks that share one would have to share out its GPUs too."""
    try:
        tasks, nodes, rank = (
            int(environment[f"SLURM_{name}"]) for name in ("STEP_NUM_TASKS", "STEP_NUM_NODES", "PROCID")
        )
        port = FIRST_PORT + int(environment["SLURM_JOB_ID"]) % PORTS
        listed = ["scontrol", "show", "hostnames", environment["SLURM_STEP_NODELIST"]]
        hosts = subprocess.run(listed, capture_output=True, text=True, timeout=60, check=True).stdout.split()
    except (KeyError, ValueError, OSError, subprocess.SubprocessError) as error:
        raise DeviceError(
            f"This is one of several tasks of a SLURM step, whose machines can't be found out ({error!r}). "
            f"Set TF_CONFIG in each task, for example: {EXAMPLE}"
        ) from None
    if not tasks == nodes == len(hosts):
        raise DeviceError(
            f"SLURM started {tasks} tasks on {nodes} machines. Start one on each, srun --ntasks-per-node=1: it takes all GPUs "
            "that it is given."
        )
    return Cluster(tuple(f"{host}:{port}" for host in hosts), rank, f"task {rank}")

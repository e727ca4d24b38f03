"""Where workers meet before TensorFlow connects them: it would wait for ever for one that failed, deaf to Ctrl-C.

The chief listens at its own address, each of the others tells it what it is about to do, and the chief tells everyone.
"""

import json
import socket
import time
from contextlib import suppress
from typing import Any

from deepfake_cli.distributed.environment import Cluster
from deepfake_cli.errors import DeviceError

PATIENCE = 600  # seconds to wait for all: launchers start machines one after the other
PAUSE = 0.2  # seconds between two tries

Facts = dict[str, Any]


def meet(cluster: Cluster, facts: Facts, patience: float = PATIENCE) -> None:
    """Wait until all workers are there, and check that they are about to do the same.

    Args:
        cluster: all workers, and which this one is.
        facts: what has to be the same on all of them; JSON.
        patience: seconds to wait.

    Raises:
        DeviceError: some don't come, the chief's port is taken, or facts differ; then all workers are told which.
    """
    end = time.monotonic() + patience
    own = json.loads(json.dumps(facts, default=str))
    everyone = _gather(cluster, own, end) if cluster.is_chief else _tell(cluster, own, end)
    for name in own:
        values = [each.get(name) for each in everyone]
        differing = [rank for rank, value in enumerate(values) if value != values[0]]
        if differing:
            raise DeviceError(
                f"The workers differ in {name}: {_short(values[0])} on the chief, {_short(values[differing[0]])} on worker "
                f"{differing[0]} of {cluster.size}. Start all with the same command and packages, in a folder that they share."
            )


def _gather(cluster: Cluster, own: Facts, end: float) -> list[Facts]:
    """The chief's part. A worker that was started again while we waited counts with what it said last."""
    port = int(cluster.addresses[0].rpartition(":")[2])
    heard: dict[int, tuple[socket.socket, Facts]] = {}
    try:
        server = socket.create_server(("", port))
    except OSError as error:
        raise DeviceError(
            f"The chief can't listen at port {port}: {error.strerror}. TF_CONFIG names another?"
        ) from None
    with server:
        while len(heard) < cluster.size - 1:
            missing = [address for rank, address in enumerate(cluster.addresses) if rank and rank not in heard]
            server.settimeout(_left(end, f"{', '.join(missing)} did not come"))
            try:
                connection, _ = server.accept()
                connection.settimeout(5)
                said = json.loads(connection.makefile().readline())
                heard[int(said["rank"])] = (connection, said["facts"])
            except (OSError, ValueError, KeyError, TypeError):
                continue  # too late, or somebody else
    everyone = [own, *(heard[rank][1] for rank in range(1, cluster.size))]
    for connection, _ in heard.values():
        with connection, suppress(OSError):  # one that failed meanwhile
            connection.sendall(json.dumps(everyone).encode() + b"\n")
    return everyone


def _tell(cluster: Cluster, own: Facts, end: float) -> list[Facts]:
    """The part of the others. An earlier chief that is about to end may answer nothing."""
    chief = cluster.addresses[0]
    host, _, port = chief.rpartition(":")
    while True:
        left = _left(end, f"the chief, {chief}, did not answer")
        try:
            with socket.create_connection((host.strip("[]"), int(port)), timeout=5) as connection:
                connection.sendall(json.dumps({"rank": cluster.rank, "facts": own}).encode() + b"\n")
                connection.settimeout(left)
                return json.loads(connection.makefile().readline())
        except (OSError, ValueError):
            time.sleep(PAUSE)


def _left(end: float, fault: str) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise DeviceError(f"Not all workers met: {fault}. See what they printed; start all of them again.")
    return left


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) < 100 else f"{text[:97]}…"

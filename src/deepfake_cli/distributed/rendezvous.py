"""Wait for all workers before TensorFlow connects them: TensorFlow would wait forever for one that failed, ignoring Ctrl-C.

The chief listens at its own address. Each other worker sends it its facts, and the chief sends everyone's facts back.
"""

import json
import socket
import time
from contextlib import suppress
from typing import Any

from deepfake_cli.distributed.environment import Workers
from deepfake_cli.errors import DeviceError
from deepfake_cli.storage.json_files import Part, parse_json

TIMEOUT = 600  # seconds to wait for all workers: launchers start machines one after another
PAUSE = 0.2  # seconds between two attempts to connect

MOST = 2**24  # characters of a message

Facts = dict[str, Any]


class Message(Part):
    """What a worker sends."""

    rank: int
    facts: Facts


def meet(workers: Workers, facts: Facts, timeout: float = TIMEOUT) -> None:
    """Wait until all workers are connected, and check that their facts are the same.

    Args:
        workers: all workers, and which this one is.
        facts: what must be the same on all of them; JSON.
        timeout: seconds to wait.

    Raises:
        DeviceError: a worker is missing, the chief's port is taken, or facts differ; in the last case on all workers.
    """
    end = time.monotonic() + timeout
    own = json.loads(json.dumps(facts, default=str))
    everyone = _gather(workers, own, end) if workers.is_chief else _report(workers, own, end)
    for name in own:
        values = [other.get(name) for other in everyone]
        differing = [rank for rank, value in enumerate(values) if value != values[0]]
        if differing:
            raise DeviceError(
                f"The workers differ in {name}: {_short(values[0])} on the chief, {_short(values[differing[0]])} on worker "
                f"{differing[0]} of {workers.size}. Start all workers with the same command and packages, in a shared folder."
            )


def _gather(workers: Workers, own: Facts, end: float) -> list[Facts]:
    """Collect and return everyone's facts, as the chief. A worker that restarted meanwhile counts with its last facts."""
    port = int(workers.addresses[0].rpartition(":")[2])
    received: dict[int, tuple[socket.socket, Facts]] = {}
    try:
        server = socket.create_server(("", port))
    except OSError as error:
        raise DeviceError(
            f"The chief cannot listen at port {port}: {error.strerror}. Check that TF_CONFIG names this machine and a free port."
        ) from None
    with server:
        while len(received) < workers.size - 1:
            missing = [address for rank, address in enumerate(workers.addresses) if rank and rank not in received]
            server.settimeout(_remaining(end, f"{', '.join(missing)} did not connect"))
            try:
                connection, _ = server.accept()
                connection.settimeout(5)
                message = parse_json(connection.makefile().readline(MOST), Message, "a worker", DeviceError)
                received[message["rank"]] = (connection, message["facts"])
            except (OSError, ValueError, DeviceError):
                continue  # too late, or not a worker
    everyone = [own, *(received[rank][1] for rank in range(1, workers.size))]
    for connection, _ in received.values():
        with connection, suppress(OSError):  # a worker that failed meanwhile
            connection.sendall(json.dumps(everyone).encode() + b"\n")
    return everyone


def _report(workers: Workers, own: Facts, end: float) -> list[Facts]:
    """Send this worker's facts to the chief, and return everyone's. A chief that is shutting down may not answer: try again."""
    chief = workers.addresses[0]
    host, _, port = chief.rpartition(":")
    while True:
        remaining = _remaining(end, f"the chief, {chief}, did not answer")
        try:
            with socket.create_connection((host.strip("[]"), int(port)), timeout=5) as connection:
                connection.sendall(json.dumps({"rank": workers.rank, "facts": own}).encode() + b"\n")
                connection.settimeout(remaining)
                return parse_json(connection.makefile().readline(MOST), list[Facts], "the chief", DeviceError)
        except (OSError, ValueError, DeviceError):
            time.sleep(PAUSE)


def _remaining(end: float, fault: str) -> float:
    remaining = end - time.monotonic()
    if remaining <= 0:
        raise DeviceError(f"Not all workers connected: {fault}. See their output, and start all workers again.")
    return remaining


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) < 100 else f"{text[:97]}…"

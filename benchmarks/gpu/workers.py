"""Processes that each prepare a training, all at the same time, and then time its steps, one process at a time.

Preparing (importing, tracing, compiling) takes most of the time, and uses the CPU. This module imports no package, so that a
process with PyTorch alone can use it.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FEWEST = 5  # steps that are timed, at least
SETTLING = 3, 40  # steps that are not timed: at least, and at most, which is more than readers keep ready


class Worker:
    """A process that runs `serve`.

    Args:
        command: of the process.
        environment: added to that of this process.
    """

    def __init__(self, command: Sequence[Any], environment: Mapping[str, str] | None = None):
        self.process = subprocess.Popen(
            [*map(str, command)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | (environment or {}),
        )
        self.ready: dict[str, Any] | None = None

    def wait(self, until: float | None = None) -> dict[str, Any]:
        """What the process reports when it is prepared, once it is.

        Args:
            until: when to give up, in the time of `time.monotonic`; None for never.

        Raises:
            RuntimeError: the process failed, or was given up.
        """
        if (
            until
            and not self.ready
            and not select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))[0]
        ):
            self.close()
            raise RuntimeError(f"{self.process.args} was not prepared in time")
        self.ready = self.ready or self._answer()
        return self.ready

    def rate(self, source: str, seconds: float) -> float:
        """Images a second in training for so many seconds, from ``memory`` or ``files``."""
        self.wait()
        assert self.process.stdin
        self.process.stdin.write(f"{source} {seconds}\n")
        self.process.stdin.flush()
        return self._answer()["rate"]

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise RuntimeError(f"{self.process.args} ended with status {self.process.wait()}")


def ours(listed: Path, model: str, batch: int, *words: Any, environment: Mapping[str, str] | None = None) -> Worker:
    """A process of our_steps.py."""
    return Worker([sys.executable, HERE / "our_steps.py", listed, model, batch, *words], environment)


def peer(python: str, listed: Path, model: str, batch: int, mode: str, size: int) -> Worker:
    """A process of torch_steps.py."""
    return Worker([python, HERE / "torch_steps.py", listed, model, batch, mode, "--image-size", size])


def steps_per_second(step: Callable[[], None], wait: Callable[[], None], seconds: float) -> float:
    """Time steps for so many seconds, after others for as long, or until what was read ahead is used up.

    Args:
        step: starts a step.
        wait: waits until the last one is done.
        seconds: to measure.
    """
    fewest, most = SETTLING
    started, count = time.perf_counter(), 0
    while count < fewest or (count < most and time.perf_counter() - started < seconds):
        step()
        count += 1
    wait()
    started, count = time.perf_counter(), 0
    while count < FEWEST or time.perf_counter() - started < seconds:
        step()
        count += 1
    wait()
    return count / (time.perf_counter() - started)


def serve(facts: Mapping[str, Any], rate: Callable[[str, float], float]) -> None:
    """Report that this process is prepared, with `facts`; then time what standard input asks for, until it ends."""
    print(json.dumps(dict(facts)), flush=True)
    for line in sys.stdin:
        source, seconds = line.split()
        print(json.dumps({"rate": rate(source, float(seconds))}), flush=True)
    os._exit(0)  # processes that read images without an end

"""Hold back Ctrl-C and SIGTERM until the state can be saved."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def hold_first_signal() -> Iterator[Callable[[], bool]]:
    """Hold back the first SIGINT or SIGTERM within the block; yield a function that returns whether it came.

    The second one raises KeyboardInterrupt. Only the main thread can handle signals: elsewhere none is held back.
    """
    received: list[int] = []

    def receive(number: int, frame: Any) -> None:
        received.append(number)
        if len(received) > 1:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = {number: signal.signal(number, receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

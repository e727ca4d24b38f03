"""Ctrl-C, and the SIGTERM that a machine sends before it takes itself away: noted, and answered where a state can be kept."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def held() -> Iterator[Callable[[], bool]]:
    """Hold back the first signal of the block; yield a function that says whether one came.

    The second stops at once, as ever. Outside the main thread, which alone can take signals, nothing is held.
    """
    came: list[int] = []

    def note(number: int, frame: Any) -> None:
        came.append(number)
        if len(came) > 1:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""Read a stream ahead in another thread."""

import queue
import threading
from collections.abc import Iterator
from typing import Any

AHEAD = 2  # items in the queue


def ahead(stream: Iterator[Any]) -> Iterator[Any]:
    """Read a stream ahead, in another thread; its exceptions are raised here."""
    waiting: queue.Queue[tuple[bool, Any]] = queue.Queue(AHEAD)
    over = threading.Event()

    def draw() -> None:
        try:
            for item in stream:
                if not _put(waiting, (True, item), over):
                    return
            _put(waiting, (False, None), over)
        except BaseException as error:  # noqa: BLE001 - raised again in the reading thread
            _put(waiting, (False, error), over)

    thread = threading.Thread(target=draw, daemon=True)
    thread.start()
    try:
        while (item := waiting.get())[0]:
            yield item[1]
        if item[1] is not None:
            raise item[1]
    finally:
        over.set()
        thread.join()


def _put(waiting: "queue.Queue[tuple[bool, Any]]", item: tuple[bool, Any], over: threading.Event) -> bool:
    """Put an item, waiting for room; return False if the reader has stopped."""
    while not over.is_set():
        try:
            waiting.put(item, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False

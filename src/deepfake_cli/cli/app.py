"""``deepfake app``."""

import contextlib
import os
import signal
import sys
import threading
from typing import NoReturn

from deepfake_cli.cli.console import console, next_step, warn
from deepfake_cli.config import App


def app(settings: App) -> None:
    """Classify files on a local web page.

    Files stay on this machine and are deleted once they are judged. Needs the package extra app.
    """
    from deepfake_cli.app.server import opened

    signal.signal(signal.SIGTERM, _leave)  # so that the block below cleans up
    with opened(settings) as server:
        console.print(f"Detector: {server.detector}")
        console.print(server.url, style="bold", end="")
        console.print("  (Ctrl-C to stop)")
        if server.public:
            warn(
                f"--host {settings.host}: anyone on the network can use this page, and uploads are not encrypted. "
                "Remove --host to allow this machine only."
            )
        if settings.open and _has_screen():
            threading.Thread(target=_show, args=(server.url,), daemon=True).start()
        with contextlib.suppress(KeyboardInterrupt):
            server.run()
    console.print("Stopped. Uploads and results are deleted.")
    next_step("predict", "FILES", "--report", "report.html")


def _leave(*_: object) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)


def _has_screen() -> bool:
    """Whether there is a display; without one, a text browser would open in the terminal."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _show(url: str) -> None:
    import webbrowser

    webbrowser.open(url)

"""``deepfake app``."""

import contextlib
import os
import signal
import sys
import threading
from typing import NoReturn

from deepfake_cli.cli.console import console, warn
from deepfake_cli.config import App


def app(settings: App) -> None:
    """Open a local web page that judges what is dropped on it.

    Files stay on this machine, and are deleted as soon as they are judged. Needs the package's extra, app.
    """
    from deepfake_cli.app.server import opened

    signal.signal(signal.SIGTERM, _leave)  # so that what follows cleans up after itself then, too
    with opened(settings) as server:
        console.print(f"Detector: {server.detector}", highlight=False, markup=False)
        console.print(f"[bold]{server.url}[/bold]  (Ctrl-C stops it)", highlight=False)
        if server.public:
            warn(
                f"--host {settings.host}: anyone on the network can use this page, and what is sent is not encrypted. "
                "Leave --host out to keep it to this machine."
            )
        if settings.open and _has_screen():
            threading.Thread(target=_show, args=(server.url,), daemon=True).start()
        with contextlib.suppress(KeyboardInterrupt):
            server.run()
    console.print("Stopped; uploads and results are deleted.")


def _leave(*_: object) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)


def _has_screen() -> bool:
    """Whether a browser can show anything: without a screen, it would be one in this terminal."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _show(url: str) -> None:
    import webbrowser

    webbrowser.open(url)

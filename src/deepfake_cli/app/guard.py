"""Who may ask, and what a browser may do with the answer."""

from collections.abc import Awaitable, Callable, MutableMapping
from ipaddress import ip_address
from socket import gethostname
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
CHANGES = ("POST", "DELETE")  # the methods that do something

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


class Guard:
    """Lets through what comes from the page itself, and adds `HEADERS` that an answer lacks.

    A page of another site could make its own name point at this machine and then read what is here (DNS rebinding): so
    ``Host`` has to be an address, or a name that this machine has. And it could send files from its visitor's browser:
    so ``Origin``, which browsers add, has to be this page.
    """

    def __init__(self, app: Application, host: str):
        self._app = app
        name = gethostname().lower()
        self._names = {"localhost", name, f"{name}.local", host.lower()}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sends(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for key, value in HEADERS.items():
                    headers.setdefault(key, value)
            await send(message)

        fault = self._fault(scope["method"], Headers(scope=scope))
        answer = JSONResponse({"error": fault}, 403, {"Connection": "close"}) if fault else self._app
        await answer(scope, receive, sends)

    def _fault(self, method: str, headers: Headers) -> str:
        host = headers.get("host", "")
        if not self._is_ours(_name(host)):
            return "This server doesn't answer to that name: open it by its address."
        origin = headers.get("origin")
        if method in CHANGES and origin is not None and origin.partition("://")[2] != host:
            return "Another site's page may not use this server."
        return ""

    def _is_ours(self, name: str) -> bool:
        try:
            return bool(ip_address(name))
        except ValueError:
            return name in self._names


def _name(host: str) -> str:
    """The name or address in ``name:port``, ``1.2.3.4`` or ``[::1]:port``, without the port."""
    return host[1:].partition("]")[0] if host.startswith("[") else host.rpartition(":")[0].lower() or host.lower()

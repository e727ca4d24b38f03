"""Access control and security headers of every response."""

import re
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
CHANGES = ("POST", "DELETE")  # methods with side effects
OWN = (None, "same-origin", "none")  # of Sec-Fetch-Site, which browsers send also where they send no Origin
HOST = re.compile(r"(?:\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::\d{1,5})?", re.IGNORECASE)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


class Guard:
    """ASGI middleware: accepts requests of the own page only, and adds missing `HEADERS`.

    Against DNS rebinding, where another site points its name at this machine, ``Host`` must be an address or a name of this
    machine. Against uploads from other sites, ``Origin`` and ``Sec-Fetch-Site``, which browsers add, must be those of this page.
    A proxy may speak HTTPS in front of this server: the scheme may differ if the browser says that the page is its own.
    """

    def __init__(self, app: Application, host: str):
        self._app = app
        name = gethostname().lower()
        self._names = {"localhost", name, f"{name}.local", host.lower()}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer an ASGI request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for key, value in HEADERS.items():
                    headers.setdefault(key, value)
            await send(message)

        fault = self._fault(scope["method"], scope["scheme"], Headers(scope=scope))
        answer = JSONResponse({"error": fault}, 403, {"Connection": "close"}) if fault else self._app
        await answer(scope, receive, send_with_headers)

    def _fault(self, method: str, scheme: str, headers: Headers) -> str:
        host = headers.get("host", "")
        if not self._is_ours(_name(host)):
            return "Unknown host name. Open this server by its IP address."
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        schemes = (scheme, "https") if site == "same-origin" else (scheme,)
        own = origin is None or origin in [f"{name}://{host}" for name in schemes]
        if method in CHANGES and not (own and site in OWN):
            return "Requests from other sites are not allowed."
        return ""

    def _is_ours(self, name: str) -> bool:
        try:
            return bool(ip_address(name))
        except ValueError:
            return name in self._names


def _name(host: str) -> str:
    """Return the name or address in ``name:port``, ``1.2.3.4`` or ``[::1]:port``, without the port; "" for anything else."""
    found = HOST.fullmatch(host)
    return (found["address"] or found["name"]).lower() if found else ""

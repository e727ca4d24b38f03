"""Visitors, told apart by address, and their connections."""

import asyncio
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS = 40  # at the same time, of a visitor; browsers open 6
TIMEOUT = 20.0  # seconds from the first byte of a request to the end of its headers


def visitor(address: str) -> str:
    """Return what one visitor shares: an IPv4 address, or the /64 network of an IPv6 address, of which a machine has all."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:  # not a network socket
        return address
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or ip_network((found, 64), strict=False))
    return str(found)


class Connection(H11Protocol):
    """A connection; refused if its visitor has `CONNECTIONS`, and closed if a request does not arrive in `TIMEOUT`."""

    def __init__(self, *arguments: Any, **named: Any):
        super().__init__(*arguments, **named)
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Count the connection of its visitor."""
        super().connection_made(transport)
        self.visitor = visitor(self.client[0] if self.client else "")
        if sum(other.visitor == self.visitor for other in self.connections) > CONNECTIONS:
            transport.abort()
        else:
            self._await_request()

    def data_received(self, data: bytes) -> None:
        """Start the time of a request with its first byte, and end it with its headers."""
        super().data_received(data)
        if self.cycle and not self.cycle.response_complete:
            self._stop()
        elif self._timer is None:
            self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the time."""
        self._stop()
        super().connection_lost(exc)

    def _await_request(self) -> None:
        self._timer = self.loop.call_later(TIMEOUT, self.transport.abort)

    def _stop(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None

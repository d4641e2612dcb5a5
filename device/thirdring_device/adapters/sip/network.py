"""Notices that our own address has changed: another network, a new lease, a cable moved."""

import socket
from collections.abc import Callable, Collection
from typing import Final

__all__ = ["AddressWatch", "source_address"]

CHECK_S: Final = 2.0

ROUTE_PORT: Final = 9
"""Nothing is sent to it: connecting a UDP socket only asks for the route."""


def source_address(destination: str) -> str:
    """Return our address on the way to ``destination``, empty while there is no way."""
    family = socket.AF_INET6 if ":" in destination else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((destination, ROUTE_PORT))
        except OSError:
            return ""
        return str(probe.getsockname()[0])


class AddressWatch:
    """Asks every 2 s which address of ours leads to the trunk. Time is an argument."""

    def __init__(
        self, servers: Callable[[], Collection[str]], source: Callable[[str], str] = source_address
    ) -> None:
        self._servers = servers
        self._source = source
        self._next_s = float("-inf")
        self._destination = ""
        self._known = ""

    def changed(self, now_s: float) -> str | None:
        """Return the new address when it has changed; none while the network is away."""
        if now_s < self._next_s:
            return None
        self._next_s = now_s + CHECK_S
        servers = self._servers()
        if self._destination not in servers:
            # Another server may lie behind another interface of ours: that is no change.
            self._destination, self._known = min(servers, default=""), ""
        if not self._destination:
            return None
        address = self._source(self._destination)
        if not address or address == self._known:
            return None
        before, self._known = self._known, address
        return address if before else None

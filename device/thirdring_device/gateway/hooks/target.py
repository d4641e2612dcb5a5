"""Where a web hook may post: only http and https, only to addresses that are public or allowed by name.

The name is looked up before each post and the address that was judged is the one connected to, so that a
name cannot first look public and then lead inside (DNS rebinding). Redirects are not followed.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from thirdring.protocol.errors import error

__all__ = ["Network", "Target", "networks"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PORTS: Final = {"http": 80, "https": 443}
NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""RFC 6052: the last 32 bits are an IPv4 address."""


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks of the setting; raises ``ApplianceError`` 7020 for a text that is none."""
    try:
        return tuple(ipaddress.ip_network(text, strict=False) for text in texts)
    except ValueError as reason:
        raise error(7020, f"hooks.networks: {reason}") from reason


@dataclass(frozen=True, slots=True)
class Target:
    """One address to post to."""

    url: str
    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> "Target":
        """Read ``url``; raises ``ApplianceError`` 7020 unless it is http or https, without a password."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as reason:
            raise error(7020, f"{url:.100}: {reason}") from reason
        if parts.scheme not in PORTS or not parts.hostname:
            raise error(7020, f"{url!r:.100} is not http://HOST/ or https://HOST/")
        if "@" in parts.netloc:
            raise error(7020, f"{parts.hostname:.100}: no user name or password in the address")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(url, parts.scheme, parts.hostname, port or PORTS[parts.scheme], path)

    @property
    def authority(self) -> str:
        """Return host and port as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def at(self, address: Address) -> str:
        """Return the URL with the host's ``address`` in place of its name."""
        host = f"[{address}]" if address.version == 6 else str(address)
        return f"{self.scheme}://{host}:{self.port}{self.path}"

    async def address(self, allowed: Sequence[Network]) -> Address:
        """Look the host up; raises ``ApplianceError`` 7020 when one of its addresses may not be posted to."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except OSError as reason:
            raise error(7021, f"{self.host}: {reason.strerror or reason}") from reason
        addresses = [ipaddress.ip_address(str(place[0]).partition("%")[0]) for *_, place in found]
        for address in addresses:
            if not may_reach(address, allowed):
                raise error(7020, f"{self.host} is {address}; see hooks.networks")
        return addresses[0]


def may_reach(address: Address, allowed: Iterable[Network]) -> bool:
    """Return whether ``address`` is on the public internet or in an allowed network."""
    real = _inner(address)
    if any(real in network for network in allowed if network.version == real.version):
        return True
    return real.is_global and not real.is_multicast


def _inner(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address

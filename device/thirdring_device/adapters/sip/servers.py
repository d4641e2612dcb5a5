"""The trunk's servers: who they are (RFC 3263), what addresses they have. Looked up off the SIP thread."""

import ipaddress
import logging
import re
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import dns.exception
import dns.resolver

from thirdring.protocol.errors import error
from thirdring_device.sip_settings import TrunkSettings

__all__ = ["MAX_SERVERS", "Server", "ServerLookup", "check_trunk", "parse_server"]

log = logging.getLogger(__name__)

REFRESH_S: Final = 300.0
"""How often names are looked up again: the provider may move."""

LOOKUP_S: Final = 5.0
"""Longest time for one look-up of SRV records."""

MAX_SERVERS: Final = 6
"""Registrars used at most: the stack holds eight accounts."""

USER: Final = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/]|%[0-9A-Fa-f]{2})+")
HOST: Final = re.compile(r"[A-Za-z0-9\-_.]+|[0-9A-Fa-f:.]+")

SERVICES: Final = {"udp": "_sip._udp", "tcp": "_sip._tcp", "tls": "_sips._tcp"}


@dataclass(frozen=True, slots=True)
class Server:
    """A host name or address; ``port`` 0 is the transport's own."""

    host: str
    port: int = 0

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host

    def uri(self, transport: str, number: str = "") -> str:
        """Return the SIP URI of the server, or of ``number`` at it (RFC 3261 clause 25.1 escapes ``#``)."""
        user = quote(number, safe="+*-.!~()") + "@" if number else ""
        return f"sip:{user}{self}" + ("" if transport == "udp" else f";transport={transport}")

    @property
    def is_address(self) -> bool:
        """Whether nothing needs to be looked up."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return True


def parse_server(text: str, name: str = "trunk.server") -> Server:
    """Take apart ``host``, ``host:port`` or ``[v6]:port``; raises ``StorageError`` 5005."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        host, _, port = text.partition(":")
    if not port:
        return Server(host)
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise error(5005, f"{name} is {text!r:.60}, not host:port")
    return Server(host, int(port))


def check_trunk(trunk: TrunkSettings) -> None:
    """Refuse what would stand in an address and cannot (RFC 3261 clause 25.1): nothing could start with it.

    Raises ``StorageError`` 5005.
    """
    for name in ("server", "server2", "outbound_proxy", "domain"):
        text = getattr(trunk, name)
        host = text if name == "domain" else parse_server(text, f"trunk.{name}").host
        if text and not HOST.fullmatch(host):
            raise error(5005, f"trunk.{name} is {text!r:.60}, not a host's name or address")
    if not USER.fullmatch(trunk.user):
        raise error(5005, f"trunk.user is {trunk.user!r:.60}, not the user of a SIP address")
    for name in ("auth_user", "realm", "password"):
        if not getattr(trunk, name).isprintable() or '"' in getattr(trunk, name) * (name != "password"):
            raise error(5005, f"trunk.{name} has characters that cannot be sent")


class ServerLookup:
    """Keeps the list of servers, best first, and the addresses that INVITEs may come from."""

    def __init__(self, trunk: TrunkSettings) -> None:
        """Raise ``StorageError`` 5005 for what is no server."""
        self._transport = trunk.transport
        self._nameservers = trunk.nameservers
        named = [("trunk.server", trunk.server), ("trunk.server2", trunk.server2)]
        self._named = [parse_server(text, name) for name, text in named if text]
        self._proxy = (
            parse_server(trunk.outbound_proxy, "trunk.outbound_proxy") if trunk.outbound_proxy else None
        )
        self._srv = trunk.srv
        self.servers: tuple[Server, ...] = tuple(self._named)
        self.known = not any(self._has_srv(server) for server in self._named)
        """Whether ``servers`` is what registrations go to; False until the first look-up of SRV records."""
        self.addresses = frozenset(server.host for server in self._every() if server.is_address)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look names up, where there are any."""
        if not self.known or not all(server.is_address for server in self._every()):
            self._thread = threading.Thread(target=self._keep_looking, name="sip-resolver", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop looking; a look-up on its way is not waited for."""
        self._stop.set()

    def _has_srv(self, server: Server) -> bool:
        return self._srv and not server.port and not server.is_address

    def _every(self) -> Sequence[Server]:
        return (*self.servers, *([self._proxy] if self._proxy else []))

    def _keep_looking(self) -> None:
        while not self._stop.is_set():
            self.look()
            self._stop.wait(REFRESH_S)

    def look(self) -> None:
        """Look every name up once; takes seconds where no DNS server answers."""
        found: list[Server] = []
        for server in self._named:
            found += self._ordered(server) if self._has_srv(server) else [server]
        servers = tuple(dict.fromkeys(found))[:MAX_SERVERS]
        # Weighted order is drawn anew each time: only another set of servers is news.
        if not self.known or set(servers) != set(self.servers):
            self.servers = servers
            self.known = True
        self.addresses = frozenset().union(*(self._addresses_of(server) for server in self._every()))

    def _ordered(self, server: Server) -> list[Server]:
        """Return the servers behind a name in the order of RFC 2782; itself when it has no records."""
        name = f"{SERVICES[self._transport]}.{server.host}"
        try:
            resolver = dns.resolver.Resolver(configure=not self._nameservers)
            if self._nameservers:
                chosen = [parse_server(text, "trunk.nameservers") for text in self._nameservers]
                resolver.nameservers = [entry.host for entry in chosen]
                resolver.nameserver_ports = {entry.host: entry.port or 53 for entry in chosen}
            answer = resolver.resolve(name, "SRV", lifetime=LOOKUP_S)
        except (dns.exception.DNSException, OSError) as reason:
            log.info("no SRV records of %s: %s", name, reason)
            return [server]
        assert answer.rrset is not None  # noqa: S101 - for the type checker: an answer without is an exception
        records = [
            Server(record.target.to_text(omit_final_dot=True), record.port)  # type: ignore[attr-defined]
            for record in answer.rrset.processing_order()
        ]
        inside = [record for record in records if self._belongs(record, server)]
        if len(inside) < len(records):
            log.warning("%s names servers outside %s: not used over TLS (RFC 5922)", name, server.host)
        return inside or [server]

    def _belongs(self, record: Server, server: Server) -> bool:
        """Over TLS the certificate is checked against the record's name, so DNS must not choose just any."""
        if self._transport != "tls":
            return True
        host, domain = record.host.lower(), server.host.lower()
        return host == domain or host.endswith(f".{domain}")

    def _addresses_of(self, server: Server) -> frozenset[str]:
        if server.is_address:
            return frozenset({server.host})
        try:
            return frozenset(str(entry[4][0]) for entry in socket.getaddrinfo(server.host, None))
        except (OSError, UnicodeError) as reason:  # the latter for a label that is too long or empty
            log.warning("the trunk's name %s cannot be looked up: %s", server.host, reason)
            return frozenset(self.addresses)

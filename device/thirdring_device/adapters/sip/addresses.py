"""SIP addresses (RFC 3261 clauses 19.1 and 25.1) and the sources that INVITEs are accepted from."""

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from thirdring.protocol.errors import error

__all__ = ["AllowedSources", "NameAddr", "number_of", "parse_name_addr", "source_host"]

ANONYMOUS: Final = frozenset({"", "anonymous", "unknown", "restricted", "unavailable"})
"""User parts that stand for a withheld number (RFC 3323 clause 4.1 and what trunks really send)."""

MAX_TEXT: Final = 200
"""Characters kept of a text that a stranger may have written."""


@dataclass(frozen=True, slots=True)
class NameAddr:
    """``display`` and ``user`` may be empty; ``uri`` is without angle brackets."""

    display: str
    uri: str
    user: str


def _clean(text: str) -> str:
    """Return text from the wire without bytes that are no UTF-8 and without control characters."""
    decoded = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(c for c in decoded if unicodedata.category(c)[0] != "C")[:MAX_TEXT].strip()


def parse_name_addr(text: str) -> NameAddr:
    """Take apart a From or To value; never fails, whatever was sent."""
    text = _clean(text)
    display, bracket, rest = text.partition("<") if not text.startswith('"') else ("", "", "")
    if text.startswith('"'):
        quoted = re.match(r'"((?:[^"\\]|\\.)*)"\s*<?', text)
        if quoted is None:
            return NameAddr(text.strip('"'), "", "")
        display, rest = re.sub(r"\\(.)", r"\1", quoted[1]), text[quoted.end() :]
    elif not bracket:
        display, rest = "", text
    uri = rest.partition(">")[0].strip()
    scheme, _, address = uri.partition(":")
    user = ""
    if scheme.lower() in ("sip", "sips") and "@" in address:
        user = address.rpartition("@")[0].partition(":")[0].partition(";")[0]
    elif scheme.lower() == "tel":
        user = address.partition(";")[0]
    return NameAddr(display.strip(), uri, _clean(unquote(user)))


def number_of(address: NameAddr) -> str:
    """Return the caller's number, empty when it is withheld."""
    return "" if address.user.lower() in ANONYMOUS else address.user


def source_host(source: str) -> str:
    """Return the address of a received message's ``address:port``."""
    return source[1:].partition("]")[0] if source.startswith("[") else source.rpartition(":")[0]


class AllowedSources:
    """The peers' networks and the addresses of the trunk's servers."""

    def __init__(self, peers: Iterable[str], servers: Callable[[], Collection[str]]) -> None:
        """Raise ``StorageError`` 5005 when a peer is no address or network; ``servers()`` gives addresses."""
        try:
            self._networks = tuple(ipaddress.ip_network(peer.strip(), strict=False) for peer in peers)
        except ValueError as reason:
            raise error(5005, f"trunk.peers: {reason}") from reason
        self._servers = servers

    def allows(self, host: str) -> bool:
        """Return whether an INVITE from ``host`` is accepted."""
        if host in self._servers():
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._networks)

"""The network between bench and virtual board: QEMU's own (SLIRP), with ports of the host forwarded to it."""

import contextlib
import os
import socket
from dataclasses import dataclass
from typing import Final

from thirdring_hil.peer import Translation

__all__ = ["BOARD_RTP_PORT", "HOST_SEEN_AS", "LOOPBACK", "Ports", "free_ports"]

LOOPBACK: Final = "127.0.0.1"
HOST_SEEN_AS: Final = "10.0.2.2"
"""The host's loopback, as the board sees it."""
BOARD_SIP_PORT, BOARD_HTTPS_PORT, BOARD_RTP_PORT, RTP_PORTS = 5060, 443, 4000, 100
"""``firmware_ports/qemu/README.md``; each call of the unit takes the next two, and then the first again."""
SPAN: Final = 128
FIRST, LAST = 20000, 30000
"""Below those that Linux gives to whoever asks for any port."""


@dataclass(frozen=True)
class Ports:
    """A span of free ports on loopback, from ``first`` on."""

    first: int

    @property
    def sip(self) -> int:
        """Forwarded to the board's SIP, UDP."""
        return self.first

    @property
    def https(self) -> int:
        """Forwarded to the board's page and API, TCP."""
        return self.first + 1

    @property
    def trunk(self) -> int:
        """Where the bench takes the board's own calls."""
        return self.first + 2

    @property
    def rtp(self) -> int:
        """The first of those forwarded to the board's RTP, UDP."""
        return self.first + 4

    @property
    def trunk_server(self) -> str:
        """What ``trunk.server`` has to be."""
        return f"{HOST_SEEN_AS}:{self.trunk}"

    def seen_from_board(self, port: int) -> str:
        """Return a port of the host's loopback as the board reaches it."""
        return f"{HOST_SEEN_AS}:{port}"

    @property
    def translation(self) -> Translation:
        """How a telephone on the host has to read what the board says of itself."""
        return Translation(HOST_SEEN_AS, LOOPBACK, self.rtp - BOARD_RTP_PORT)

    @property
    def option(self) -> str:
        """The argument of QEMU's ``-netdev``."""
        forwards = [
            f"udp:{LOOPBACK}:{self.sip}-:{BOARD_SIP_PORT}",
            f"tcp:{LOOPBACK}:{self.https}-:{BOARD_HTTPS_PORT}",
        ]
        forwards += [f"udp:{LOOPBACK}:{self.rtp + i}-:{BOARD_RTP_PORT + i}" for i in range(RTP_PORTS)]
        return ",".join(["user", "id=net", *(f"hostfwd={forward}" for forward in forwards)])


def free_ports() -> Ports:
    """Return ports that are all free on loopback; raises ``OSError``."""
    for first in range(FIRST + os.getpid() % 50 * SPAN, LAST, SPAN):
        ports = Ports(first)
        udp = [ports.sip, ports.trunk, *range(ports.rtp, ports.rtp + RTP_PORTS)]
        with contextlib.ExitStack() as stack:
            try:
                for kind, numbers in ((socket.SOCK_DGRAM, udp), (socket.SOCK_STREAM, [ports.https])):
                    for number in numbers:
                        probe = stack.enter_context(socket.socket(socket.AF_INET, kind))
                        probe.bind((LOOPBACK, number))
            except OSError:
                continue
            return ports
    raise OSError("no free ports")

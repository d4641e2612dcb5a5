"""A STUN server (RFC 5389) that tells everybody the same address, as a NAT in front of it would."""

import ipaddress
import socket
import struct
import threading
from typing import Final, Self

from tests.peers import LOOPBACK

COOKIE: Final = 0x2112A442
BINDING_REQUEST: Final = 0x0001
BINDING_SUCCESS: Final = 0x0101
MAPPED_ADDRESS: Final = 0x0001
XOR_MAPPED_ADDRESS: Final = 0x0020


class StunServer:
    """Answers Binding Requests with ``public`` and the port that they came from (clause 15.2).

    Those without the magic cookie are RFC 3489's and get that one's attribute (clause 12.2).
    """

    def __init__(self, public: str) -> None:
        self._public = int(ipaddress.IPv4Address(public))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((LOOPBACK, 0))
        self.server = f"{LOOPBACK}:{self._socket.getsockname()[1]}"
        self.requests = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        while True:
            data, address = self._socket.recvfrom(2048)
            if not data:
                return
            if len(data) < 20:
                continue
            kind, _, cookie = struct.unpack("!HHI", data[:8])
            if kind != BINDING_REQUEST:
                continue
            self.requests += 1
            key, name = (COOKIE, XOR_MAPPED_ADDRESS) if cookie == COOKIE else (0, MAPPED_ADDRESS)
            mapped = struct.pack("!BBHI", 0, 1, address[1] ^ (key >> 16), self._public ^ key)
            attribute = struct.pack("!HH", name, len(mapped)) + mapped
            header = struct.pack("!HH", BINDING_SUCCESS, len(attribute)) + data[4:20]
            self._socket.sendto(header + attribute, address)

"""Small servers on UDP that a test holds in its own process: a registrar by script, DNS, STUN."""

import ipaddress
import itertools
import socket
import struct
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Final, Self

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.peers import LOOPBACK

__all__ = ["DnsServer", "ScriptedRegistrar", "StunServer"]

Address = tuple[str, int]

COOKIE: Final = 0x2112A442
BINDING_REQUEST: Final = 0x0001
BINDING_SUCCESS: Final = 0x0101
MAPPED_ADDRESS: Final = 0x0001
XOR_MAPPED_ADDRESS: Final = 0x0020


class _UdpServer:
    """Gives each packet to ``_answer`` on a thread of its own, until the context is left."""

    def __init__(self, host: str = LOOPBACK) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self.port = int(self._socket.getsockname()[1])
        self.server = f"{host}:{self.port}"
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
            data, address = self._socket.recvfrom(65536)
            if not data:
                return
            answer = self._answer(data, address)
            if answer is not None:
                self._socket.sendto(answer, address)

    def _answer(self, data: bytes, address: Address) -> bytes | None:
        raise NotImplementedError


class ScriptedRegistrar(_UdpServer):
    """Answers every REGISTER with the next of ``answers``, the last one for ever; ``None`` is silence.

    An answer is the status line's end plus further headers: ``"503 Busy\\r\\nRetry-After: 7"``.
    """

    def __init__(
        self, answers: Iterable[str | None], host: str = LOOPBACK, sees: Address | None = None
    ) -> None:
        """``sees`` is the address that it says requests come from, the true one without."""
        super().__init__(host)
        self._answers = list(answers)
        self._sees = sees
        self._seen: dict[str, str | None] = {}
        self._numbers = itertools.count()
        self.requests: list[tuple[float, str]] = []
        """Monotonic time and text of every REGISTER that was no retransmission."""
        self.keep_alives_s: list[float] = []
        """Monotonic time of every packet of empty lines."""

    def _answer(self, data: bytes, address: Address) -> bytes | None:
        text = data.decode(errors="replace")
        if not text.strip():
            self.keep_alives_s.append(time.monotonic())
        if not text.startswith("REGISTER"):
            return None
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in text.split("\r\n")[1:] if ":" in line)
        }
        if headers["via"] not in self._seen:
            self.requests.append((time.monotonic(), text))
            self._seen[headers["via"]] = self._answers[min(next(self._numbers), len(self._answers) - 1)]
        answer = self._seen[headers["via"]]
        if answer is None:
            return None
        # RFC 3581 clause 4: tell the client where we see it.
        host, port = self._sees or address
        via = headers["via"].replace(";rport", f";received={host};rport={port}")
        return (
            f"SIP/2.0 {answer}\r\nVia: {via}\r\nFrom: {headers['from']}\r\n"
            f"To: {headers['to']};tag=r\r\nCall-ID: {headers['call-id']}\r\n"
            f"CSeq: {headers['cseq']}\r\n"
            f"Contact: {headers.get('contact', '')};expires=300\r\nContent-Length: 0\r\n\r\n"
        ).encode()


class DnsServer(_UdpServer):
    """Answers SRV questions from ``records``: name -> (priority, port on localhost); nothing else exists."""

    def __init__(self, records: Mapping[str, Iterable[tuple[int, int]]]) -> None:
        super().__init__()
        self._records = {name: list(entries) for name, entries in records.items()}

    def _answer(self, data: bytes, address: Address) -> bytes | None:
        query = dns.message.from_wire(data)
        answer = dns.message.make_response(query)
        question = query.question[0]
        entries = self._records.get(question.name.to_text(), [])
        if entries and question.rdtype == dns.rdatatype.SRV:
            texts = [f"{priority} 0 {port} localhost." for priority, port in entries]
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", "SRV", *texts))
        elif not entries:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return bytes(answer.to_wire())


class StunServer(_UdpServer):
    """Answers Binding Requests with ``public`` and the port that they came from (RFC 5389 clause 15.2).

    So would a NAT in front of it. Those without the magic cookie are RFC 3489's and get that one's
    attribute (clause 12.2).
    """

    def __init__(self, public: str) -> None:
        super().__init__()
        self._public = int(ipaddress.IPv4Address(public))
        self.requests = 0

    def _answer(self, data: bytes, address: Address) -> bytes | None:
        if len(data) < 20:
            return None
        kind, _, cookie = struct.unpack("!HHI", data[:8])
        if kind != BINDING_REQUEST:
            return None
        self.requests += 1
        key, name = (COOKIE, XOR_MAPPED_ADDRESS) if cookie == COOKIE else (0, MAPPED_ADDRESS)
        mapped = struct.pack("!BBHI", 0, 1, address[1] ^ (key >> 16), self._public ^ key)
        attribute = struct.pack("!HH", name, len(mapped)) + mapped
        header = struct.pack("!HH", BINDING_SUCCESS, len(attribute)) + data[4:20]
        return header + attribute

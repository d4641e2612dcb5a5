"""A minimal SIP caller over UDP that takes the time of every answer (RFC 3261)."""

import select
import socket
import time
from types import TracebackType
from typing import Self

SDP = (
    "v=0\r\no=bench 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {rtp} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=sendrecv\r\n"
)


class SipCaller:
    """One caller towards ``port`` on this machine; one call at a time."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.connect(("127.0.0.1", port))
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._rtp.bind(("127.0.0.1", 0))
        self._port = port
        self._me = self._socket.getsockname()[1]
        self._call = 0
        self._to = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, reason: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        self._rtp.close()

    def invite(self, *, rings: bool = True) -> float:
        """Send an INVITE; return the seconds until 180, unless the other side answers without."""
        self._call += 1
        self._to = f"<sip:desk@127.0.0.1:{self._port}>"
        sdp = SDP.format(rtp=self._rtp.getsockname()[1])
        sent_s = time.perf_counter()
        self._send("INVITE", 1, sdp)
        if rings:
            self._wait("180")
        return time.perf_counter() - sent_s

    def answered(self) -> float:
        """Wait for 200 OK, acknowledge; return the clock's reading when it came."""
        answer = self._wait("200")
        at_s = time.perf_counter()
        self._to = next(line[4:] for line in answer.split("\r\n") if line.lower().startswith("to: "))
        self._send("ACK", 1)
        return at_s

    def listen(self, duration_s: float) -> list[tuple[float, bytes]]:
        """Return the payload of every RTP packet of so long, and when it came."""
        packets = []
        end_s = time.perf_counter() + duration_s
        while time.perf_counter() < end_s:
            data = self._rtp.recv(2048)
            packets.append((time.perf_counter(), data[12:]))
        return packets

    def bye(self) -> None:
        """End the call."""
        self._send("BYE", 2)
        self._wait("200")

    def _send(self, method: str, number: int, body: str = "") -> None:
        branch = f"z9hG4bK{self._me}-{self._call}-{method}"
        lines = [
            f"{method} sip:desk@127.0.0.1:{self._port} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self._me};branch={branch};rport",
            f"From: <sip:bench@127.0.0.1:{self._me}>;tag=t{self._call}",
            f"To: {self._to}",
            f"Call-ID: bench-{self._me}-{self._call}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:bench@127.0.0.1:{self._me}>",
            "Max-Forwards: 70",
        ]
        if body:
            lines.append("Content-Type: application/sdp")
        lines += [f"Content-Length: {len(body)}", "", body]
        self._socket.send("\r\n".join(lines).encode())

    def _wait(self, status: str) -> str:
        """Return the first answer with ``status``; what else comes is passed over."""
        deadline_s = time.monotonic() + 10.0
        while time.monotonic() < deadline_s:
            readable, _, _ = select.select([self._socket, self._rtp], [], [], 1.0)
            if self._rtp in readable:
                self._rtp.recv(2048)
            if self._socket in readable:
                text = self._socket.recv(65536).decode(errors="replace")
                if text.startswith(f"SIP/2.0 {status}"):
                    return text
        raise TimeoutError(f"no {status}")

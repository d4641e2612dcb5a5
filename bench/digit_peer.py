"""A telephone for the bench that calls through a lossy relay and sends and takes digits by SIP INFO."""

import re
import socket
import threading
import time
from typing import Final, Self

from tests.relay import UdpRelay
from tests.rtp import EVENT_TYPE, PCMA_TYPE, RtpPeer

HOST: Final = "127.0.0.1"
T1_S: Final = 0.5
"""RFC 3261 clause 17.1.1.1."""
T2_S: Final = 4.0
TIMER_F_S: Final = 64 * T1_S
SDP: Final = (
    "v=0\r\no=bench 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP {sound} {event}\r\na=rtpmap:{sound} PCMA/8000\r\n"
    "a=rtpmap:{event} telephone-event/8000\r\na=fmtp:{event} 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
)
SIGNAL: Final = re.compile(r"^Signal\s*=\s*([0-9A-D*#])", re.MULTILINE)


class DigitPeer:
    """One call through ``signalling`` and ``media``, whose near sides the appliance takes for us."""

    def __init__(self, signalling: UdpRelay, media: UdpRelay) -> None:
        self.rtp = RtpPeer(remote=(HOST, media.far_port))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self._socket.connect((HOST, signalling.far_port))
        self._us, self._media_port = f"{HOST}:{signalling.near_port}", media.near_port
        self._tag = self._socket.getsockname()[1]
        self._to, self._cseq = f"<sip:desk@{self._us}>", 0
        self._answers: dict[tuple[str, int], int] = {}
        self._news = threading.Condition()
        self._infos: dict[int, str] = {}
        self._ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self.rtp.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", self._socket.getsockname())
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
        self.rtp.__exit__(None, None, None)

    @property
    def info_digits(self) -> str:
        """The digits that came by INFO, in the order of their coming."""
        with self._news:
            return "".join(self._infos.values())

    def call(self) -> None:
        """Call and wait for the answer."""
        sdp = SDP.format(host=HOST, port=self._media_port, sound=PCMA_TYPE, event=EVENT_TYPE)
        self._request("INVITE", "application/sdp", sdp, timeout_s=60.0)

    def press_info(self, digits: str, duration_ms: int, pause_ms: int) -> None:
        """Send digits by INFO, each when its time has come and the one before is answered."""
        due_s = time.monotonic()
        for digit in digits:
            self._request("INFO", "application/dtmf-relay", f"Signal={digit}\r\nDuration={duration_ms}\r\n")
            due_s += (duration_ms + pause_ms) / 1000
            threading.Event().wait(max(0.0, due_s - time.monotonic()))

    def hang_up(self) -> None:
        """End the call."""
        self._request("BYE")

    def _request(self, method: str, kind: str = "", body: str = "", timeout_s: float = TIMER_F_S) -> None:
        """Send until a final answer comes (RFC 3261 timers A, E); a provisional one stops an INVITE."""
        self._cseq += 1
        number, deadline_s, pause_s = self._cseq, time.monotonic() + timeout_s, T1_S
        key = (method, number)
        while self._answers.get(key, 0) < 200:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"no answer to {method} {number}")
            if not (method == "INVITE" and key in self._answers):
                self._send(method, number, kind, body)
            with self._news:
                self._news.wait_for(lambda: self._answers.get(key, 0) >= 200, pause_s)
            pause_s = min(T2_S, pause_s * 2)
        if self._answers[key] >= 300:
            raise RuntimeError(f"{method} {number}: {self._answers[key]}")

    def _send(self, method: str, number: int, kind: str = "", body: str = "") -> None:
        lines = [
            f"{method} sip:desk@{self._us} SIP/2.0",
            f"Via: SIP/2.0/UDP {self._us};branch=z9hG4bK{self._tag}-{method}-{number};rport",
            f"From: <sip:bench@{self._us}>;tag=t{self._tag}",
            f"To: {self._to}",
            f"Call-ID: bench-{self._tag}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:bench@{self._us}>",
            "Max-Forwards: 70",
            *([f"Content-Type: {kind}"] if kind else []),
            f"Content-Length: {len(body)}",
        ]
        self._socket.send(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    def _run(self) -> None:
        while not self._ended:
            text = self._socket.recv(65536).decode(errors="replace")
            head, _, body = text.partition("\r\n\r\n")
            fields = {
                n.strip().lower(): v.strip() for n, _, v in (x.partition(":") for x in head.split("\r\n"))
            }
            if "cseq" not in fields:
                continue
            number, method = fields["cseq"].split()
            if head.startswith("SIP/2.0 "):
                self._answered(int(head[8:11]), method, int(number), fields)
            elif method != "ACK":
                copied = "".join(f"{n}: {fields[n]}\r\n" for n in ("via", "from", "to", "call-id", "cseq"))
                self._socket.send(f"SIP/2.0 200 OK\r\n{copied}Content-Length: 0\r\n\r\n".encode())
                signal = SIGNAL.search(body)
                if method == "INFO" and signal is not None:
                    with self._news:
                        self._infos.setdefault(int(number), signal[1])

    def _answered(self, code: int, method: str, number: int, fields: dict[str, str]) -> None:
        with self._news:
            self._answers[method, number] = code
            self._news.notify_all()
        if method == "INVITE" and code == 200:
            self._to = fields["to"]
            self._send("ACK", number)

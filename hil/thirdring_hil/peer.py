"""The bench's own telephone: one SIP call over UDP (RFC 3261), PCMA over RTP (RFC 3550, G.711)."""

import logging
import re
import secrets
import select
import socket
import struct
import threading
import time
from types import TracebackType
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from thirdring_hil.g711 import SILENCE, a_law_decode, a_law_encode

__all__ = ["SAMPLE_RATE_HZ", "Caller"]

SAMPLE_RATE_HZ: Final = 8000
_FRAME: Final = 160
_FRAME_S: Final = 0.02
_T1_S: Final = 0.5
"""RFC 3261 timer T1: an unanswered request is sent again after it, doubling."""
_PAYLOAD_PCMA: Final = 8

logger = logging.getLogger(__name__)


class Caller:
    """Calls an appliance at ``(host, port)``. A thread serves the sockets while the context is open.

    ``received`` is what the appliance sent, in the order of arrival.
    """

    def __init__(self, appliance: tuple[str, int], number: str = "2155512345") -> None:
        self._to = appliance
        self._number = number
        self._sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sip.connect(appliance)
        self._host = self._sip.getsockname()[0]
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._rtp.bind((self._host, 0))
        self._call_id = f"{secrets.token_hex(8)}@hil"
        self._branch = ""
        self._tag = secrets.token_hex(4)
        self._remote = f"<sip:desk@{appliance[0]}:{appliance[1]}>"
        self._contact = f"sip:desk@{appliance[0]}:{appliance[1]}"
        self._sequence = 0
        self._media_to: tuple[str, int] | None = None
        self._playing = b""
        self._played = 0
        self._received = bytearray()
        self._closing = threading.Event()
        self._states = {name: threading.Event() for name in ("ringing", "answered", "released", "heard")}
        self.final_status = 0
        """The INVITE's final status; 0 until there is one."""
        self._thread = threading.Thread(target=self._serve, name="hil caller", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._states["answered"].is_set() and not self._states["released"].is_set():
            self.hang_up()
        self._closing.set()
        self._thread.join()
        self._sip.close()
        self._rtp.close()

    # --- what a test does -------------------------------------------------------------------------

    def call(self) -> None:
        """Send the INVITE; again after T1 while nothing comes back (timer A)."""
        self._branch = f"z9hG4bK{secrets.token_hex(6)}"
        self._sequence = 1
        media = self._rtp.getsockname()[1]
        sdp = (
            f"v=0\r\no=hil 1 1 IN IP4 {self._host}\r\ns=-\r\nc=IN IP4 {self._host}\r\nt=0 0\r\n"
            f"m=audio {media} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\na=sendrecv\r\n"
        )
        pause_s = _T1_S
        for _ in range(6):
            self._send("INVITE", sdp)
            if self._states["heard"].wait(pause_s):
                return
            pause_s *= 2
        raise TimeoutError("no answer to the INVITE")

    def wait_for(self, state: str, timeout_s: float = 10.0) -> None:
        """Wait for ``ringing``, ``answered`` or ``released`` (by either side); raises ``TimeoutError``."""
        if not self._states[state].wait(timeout_s):
            raise TimeoutError(f"not {state} within {timeout_s:g} s; final status {self.final_status}")

    def speak(self, samples: npt.NDArray[np.int16]) -> None:
        """Send ``samples``, shape (n,), 8 kHz, once; silence before and after."""
        self._playing, self._played = a_law_encode(samples), 0

    @property
    def received(self) -> npt.NDArray[np.int16]:
        """The samples that came so far, shape (n,), 8 kHz."""
        return a_law_decode(bytes(self._received))

    def hang_up(self) -> None:
        """End the answered call."""
        self._sequence += 1
        self._branch = f"z9hG4bK{secrets.token_hex(6)}"
        pause_s = _T1_S
        for _ in range(6):
            self._send("BYE")
            if self._states["released"].wait(pause_s):
                return
            pause_s *= 2

    # --- SIP --------------------------------------------------------------------------------------

    def _send(self, method: str, body: str = "") -> None:
        uri = self._contact if method != "INVITE" else f"sip:desk@{self._to[0]}:{self._to[1]}"
        own = self._sip.getsockname()[1]
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {self._host}:{own};branch={self._branch};rport",
            "Max-Forwards: 70",
            f"From: <sip:{self._number}@{self._host}>;tag={self._tag}",
            f"To: {self._remote}",
            f"Call-ID: {self._call_id}",
            f"CSeq: {1 if method == 'ACK' else self._sequence} {method}",
            f"Contact: <sip:{self._number}@{self._host}:{own}>",
        ]
        if body:
            lines.append("Content-Type: application/sdp")
        lines += [f"Content-Length: {len(body)}", "", body]
        logger.debug("peer > %s", lines[0])
        self._sip.send("\r\n".join(lines).encode())

    def _serve(self) -> None:
        next_frame_s = time.monotonic()
        frames = 0
        stream = secrets.randbits(32)
        while not self._closing.is_set():
            left_s = max(0.0, next_frame_s - time.monotonic())
            readable, _, _ = select.select([self._sip, self._rtp], [], [], left_s)
            try:
                if self._sip in readable:
                    self._message(self._sip.recv(65536).decode(errors="replace"))
                if self._rtp in readable:
                    self._media(self._rtp.recv(2048))
            except ConnectionRefusedError:
                continue  # nobody listens there yet; the INVITE is sent again
            if time.monotonic() >= next_frame_s:
                next_frame_s += _FRAME_S
                if self._media_to is not None and self._states["answered"].is_set():
                    header = struct.pack(
                        "!BBHII", 0x80, _PAYLOAD_PCMA, frames & 0xFFFF, frames * _FRAME & 0xFFFFFFFF, stream
                    )
                    self._rtp.sendto(header + self._next_frame(), self._media_to)
                    frames += 1

    def _next_frame(self) -> bytes:
        frame = self._playing[self._played : self._played + _FRAME]
        self._played += len(frame)
        return frame.ljust(_FRAME, bytes([SILENCE]))

    def _media(self, packet: bytes) -> None:
        if len(packet) > 12 and packet[1] & 0x7F == _PAYLOAD_PCMA:
            self._received += packet[12 + 4 * (packet[0] & 15) :]

    def _message(self, text: str) -> None:
        first = text.partition("\r\n")[0]
        logger.debug("peer < %s", first)
        self._states["heard"].set()
        if not first.startswith("SIP/2.0 "):
            self._request(first.partition(" ")[0], text)
            return
        status, method = int(first.split()[1]), _header(text, "CSeq").partition(" ")[2]
        if method == "BYE" and status >= 200:
            self._states["released"].set()
        if method != "INVITE":
            return
        if status in (180, 183):
            self._states["ringing"].set()
        if status >= 200:
            self._final(status, text)

    def _final(self, status: int, text: str) -> None:
        self.final_status = status
        self._remote = _header(text, "To")
        if status < 300:
            self._contact = _header(text, "Contact").strip("<>").partition(">")[0]
            host = re.search(r"^c=IN IP4 (\S+)", text, re.M)
            port = re.search(r"^m=audio (\d+)", text, re.M)
            if host and port:
                self._media_to = (host[1], int(port[1]))
            self._branch = f"z9hG4bK{secrets.token_hex(6)}"
        self._send("ACK")
        self._states["answered" if status < 300 else "released"].set()

    def _request(self, method: str, text: str) -> None:
        if method == "ACK":
            return
        names = ("Via", "From", "To", "Call-ID", "CSeq")
        copied = [f"{name}: {value}" for name in names for value in _headers(text, name)]
        lines = ["SIP/2.0 200 OK", *copied, "Content-Length: 0", "", ""]
        self._sip.send("\r\n".join(lines).encode())
        if method == "BYE":
            self._states["released"].set()


def _headers(text: str, name: str) -> list[str]:
    return re.findall(rf"^{name}:\s*(.*?)\r?$", text, re.M | re.I)


def _header(text: str, name: str) -> str:
    found = _headers(text, name)
    return found[0] if found else ""

"""The bench's own telephones: one SIP call over UDP (RFC 3261) each, that they place or that they take."""

import logging
import re
import secrets
import select
import socket
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import ClassVar, Final, Self

import numpy as np
import numpy.typing as npt

from thirdring_hil.codecs import FRAME_S, PCMA, Codec
from thirdring_hil.priority import sound_first
from thirdring_hil.sip import branch, header, headers, message
from thirdring_hil.stream import EVENT_PAYLOAD, Stream

__all__ = ["SAMPLE_RATE_HZ", "Callee", "Caller", "Translation"]

SAMPLE_RATE_HZ: Final = PCMA.rate_hz
CALL_GAP_S: Final = 0.2
"""A unit takes 8 INVITEs a second from one source (sip.invites_per_s) and answers 503 to more."""
_T1_S: Final = 0.5
"""RFC 3261 timer T1: an unanswered request is sent again after it, doubling."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Translation:
    """A unit behind a translator of addresses, which forwards ports to it.

    ``bench_host``: the bench as the unit sees it; ``unit_host``: where the bench reaches the unit's ports,
    those of RTP moved by ``rtp_shift``.
    """

    bench_host: str
    unit_host: str
    rtp_shift: int


class _Telephone:
    """What both have: sockets, a thread that serves them while the context is open, and the dialogue."""

    def __init__(
        self, number: str, host: str, sip: socket.socket, codec: Codec, translation: Translation | None
    ) -> None:
        self._number = number
        self._translation = translation
        self._host = translation.bench_host if translation else host
        """Our own, as the unit is told."""
        self._sip = sip
        self.stream = Stream(host, codec)
        self._from = f"<sip:{number}@{self._host}>;tag={secrets.token_hex(4)}"
        self._to = ""
        self._contact = ""
        self._call_id = f"{secrets.token_hex(8)}@hil"
        self._branch = ""
        self._sequence = 0
        self._last_asked = ""
        self._closing = threading.Event()
        self._states = {
            name: threading.Event() for name in ("heard", "ringing", "answered", "confirmed", "released")
        }
        self.times_s: dict[str, float] = {}
        """When each state was reached first, on ``time.monotonic``; ``called`` when the INVITE went out."""
        self.final_status = 0
        """The INVITE's final status; 0 until there is one."""
        self.directions: list[str] = []
        """What the appliance asked for in each re-INVITE: sendrecv, sendonly, recvonly or inactive."""
        self._thread = threading.Thread(target=self._serve, name=type(self).__name__, daemon=True)

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
        self.stream.close()

    # --- what a test does -------------------------------------------------------------------------

    def wait_for(self, state: str, timeout_s: float = 10.0) -> None:
        """Wait for ``ringing``, ``answered`` or ``released`` (by either side); raises ``TimeoutError``."""
        if not self._states[state].wait(timeout_s):
            raise TimeoutError(f"not {state} within {timeout_s:g} s; final status {self.final_status}")

    def reached(self, state: str) -> bool:
        """Tell whether that state has been reached."""
        return self._states[state].is_set()

    def speak(self, samples: npt.NDArray[np.int16]) -> None:
        """Send ``samples``, shape (n,), at the codec's rate, once; silence before and after."""
        self.stream.speak(samples)

    @property
    def received(self) -> npt.NDArray[np.int16]:
        """The samples that came so far, shape (n,), at the codec's rate."""
        return self.stream.received

    def hang_up(self) -> None:
        """End the answered call."""
        self._sequence += 1
        self._branch = branch()
        pause_s = _T1_S
        for _ in range(6):
            self._request("BYE")
            if self._states["released"].wait(pause_s):
                return
            pause_s *= 2

    # --- SIP --------------------------------------------------------------------------------------

    def _reach(self, state: str) -> None:
        self.times_s.setdefault(state, time.monotonic())
        self._states[state].set()

    def _own(self) -> str:
        return f"{self._host}:{self._sip.getsockname()[1]}"

    def _send(self, text: str) -> None:
        logger.debug("peer > %s", text.partition("\r\n")[0])
        self._sip.send(text.encode())

    def _request(self, method: str, body: str = "") -> None:
        lines = [
            f"{method} {self._contact} SIP/2.0",
            f"Via: SIP/2.0/UDP {self._own()};branch={self._branch};rport",
            "Max-Forwards: 70",
            f"From: {self._from}",
            f"To: {self._to}",
            f"Call-ID: {self._call_id}",
            f"CSeq: {1 if method == 'ACK' else self._sequence} {method}",
            f"Contact: <sip:{self._number}@{self._own()}>",
        ]
        self._send(message(lines, body))

    def _respond(self, status: str, text: str, body: str = "") -> None:
        """Answer the request ``text``; the To of the dialogue gets our tag."""
        lines = [f"SIP/2.0 {status}"]
        for name in ("Via", "From", "To", "Call-ID", "CSeq"):
            for value in headers(text, name):
                tagged = name == "To" and ";tag=" not in value and not status.startswith("100")
                lines.append(f"{name}: {value}{';tag=' + self._from.partition('tag=')[2] if tagged else ''}")
        lines.append(f"Contact: <sip:{self._number}@{self._own()}>")
        self._send(message(lines, body))

    def _sdp(self, direction: str = "sendrecv") -> str:
        codec = self.stream.codec
        return (
            f"v=0\r\no=hil 1 {1 + len(self.directions)} IN IP4 {self._host}\r\ns=-\r\n"
            f"c=IN IP4 {self._host}\r\nt=0 0\r\n"
            f"m=audio {self.stream.port} RTP/AVP {codec.payload} {EVENT_PAYLOAD}\r\n"
            f"a=rtpmap:{codec.payload} {codec.name}/{codec.clock_hz}\r\n"
            f"a=rtpmap:{EVENT_PAYLOAD} telephone-event/8000\r\na=fmtp:{EVENT_PAYLOAD} 0-15\r\n"
            f"a=ptime:20\r\na={direction}\r\n"
        )

    def _learn_media(self, text: str) -> None:
        host = re.search(r"^c=IN IP4 (\S+)", text, re.M)
        port = re.search(r"^m=audio (\d+)", text, re.M)
        if host and port:
            at, moved = host[1], int(port[1])
            if self._translation:
                at, moved = self._translation.unit_host, moved + self._translation.rtp_shift
            self.stream.to = (at, moved)

    def _serve(self) -> None:
        sound_first()
        next_frame_s = time.monotonic()
        while not self._closing.is_set():
            left_s = max(0.0, next_frame_s - time.monotonic())
            readable, _, _ = select.select([self._sip, self.stream.socket], [], [], left_s)
            try:
                if self._sip in readable:
                    self._take(*self._sip.recvfrom(65536))
                if self.stream.socket in readable:
                    self.stream.take(self.stream.socket.recv(2048), time.monotonic())
                if time.monotonic() >= next_frame_s:
                    due_s, next_frame_s = next_frame_s, next_frame_s + FRAME_S
                    if self._states["answered"].is_set() and not self._states["released"].is_set():
                        self.stream.tick(due_s)
            except ConnectionRefusedError:
                continue  # nobody listens there yet, or any more

    def _take(self, data: bytes, source: tuple[str, int]) -> None:
        text = data.decode(errors="replace")
        first = text.partition("\r\n")[0]
        logger.debug("peer < %s", first)
        self._reach("heard")
        if first.startswith("SIP/2.0 "):
            self._answered(int(first.split()[1]), header(text, "CSeq").partition(" ")[2], text)
        else:
            self._asked(first.partition(" ")[0], text)

    def _answered(self, status: int, method: str, text: str) -> None:
        if method == "BYE" and status >= 200:
            self._reach("released")

    def _asked(self, method: str, text: str) -> None:
        if method == "INVITE":
            self._asked_anew(text)
        elif method == "ACK":
            self._reach("confirmed")
        else:
            self._respond("200 OK", text)
            if method == "BYE":
                self._reach("released")

    def _asked_anew(self, text: str) -> None:
        """Answer a re-INVITE as RFC 3264 clause 8.4 says."""
        asked = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)\r?$", text, re.M)
        direction = asked[1] if asked else "sendrecv"
        if header(text, "CSeq") != self._last_asked:
            self._last_asked = header(text, "CSeq")
            self.directions.append(direction)
        self._learn_media(text)
        mirrored = {"sendonly": "recvonly", "recvonly": "sendonly"}.get(direction, direction)
        self._respond("200 OK", text, self._sdp(mirrored))


class Caller(_Telephone):
    """Calls an appliance at ``(host, port)``, but not sooner after another call than a line may."""

    _next_call_s: ClassVar[float] = 0.0

    def __init__(
        self,
        appliance: tuple[str, int],
        number: str = "2155512345",
        codec: Codec = PCMA,
        translation: Translation | None = None,
    ) -> None:
        sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sip.connect(appliance)
        super().__init__(number, sip.getsockname()[0], sip, codec, translation)
        self._contact = f"sip:desk@{appliance[0]}:{appliance[1]}"
        self._to = f"<{self._contact}>"

    def call(self) -> None:
        """Send the INVITE; again after T1 while nothing comes back (timer A)."""
        self._branch = branch()
        self._sequence = 1
        pause_s = _T1_S
        time.sleep(max(0.0, Caller._next_call_s - time.monotonic()))
        self.times_s["called"] = time.monotonic()
        Caller._next_call_s = self.times_s["called"] + CALL_GAP_S
        for _ in range(6):
            self._request("INVITE", self._sdp())
            if self._states["heard"].wait(pause_s):
                return
            pause_s *= 2
        raise TimeoutError("no answer to the INVITE")

    def cancel(self) -> None:
        """Give up while it rings; the INVITE is then answered 487."""
        self._request("CANCEL")

    def _answered(self, status: int, method: str, text: str) -> None:
        super()._answered(status, method, text)
        if method != "INVITE":
            return
        if status in (180, 183):
            self._reach("ringing")
        if status >= 200:
            self.final_status = status
            self._to = header(text, "To")
            if status < 300:
                self._contact = header(text, "Contact").strip("<>").partition(">")[0]
                self._learn_media(text)
                self._branch = branch()
            self._request("ACK")
            self._reach("answered" if status < 300 else "released")


class Callee(_Telephone):
    """Waits at ``address`` for one call of the appliance, and rings."""

    def __init__(
        self,
        address: tuple[str, int],
        number: str = "bench",
        codec: Codec = PCMA,
        translation: Translation | None = None,
    ) -> None:
        sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sip.bind(address)
        super().__init__(number, address[0], sip, codec, translation)
        self._invite = ""
        self.called_number = ""
        """The user part of the INVITE's address."""

    def answer(self) -> None:
        """Answer the ringing call; again after T1 until the ACK has come (RFC 3261 clause 13.3.1.4)."""
        self._reach("answered")
        pause_s = _T1_S
        for _ in range(6):
            self._respond("200 OK", self._invite, self._sdp())
            if self._states["confirmed"].wait(pause_s):
                return
            pause_s *= 2
        raise TimeoutError("no ACK")

    def refuse(self, status: str = "486 Busy Here") -> None:
        """Refuse the ringing call."""
        self.final_status = int(status.split()[0])
        self._respond(status, self._invite)

    def _take(self, data: bytes, source: tuple[str, int]) -> None:
        if not self._invite and data.startswith(b"INVITE"):
            self._sip.connect(source)
        super()._take(data, source)

    def _asked(self, method: str, text: str) -> None:
        if method == "INVITE" and not self._invite:
            self._invite = text
            self._call_id = header(text, "Call-ID")
            self._to = header(text, "From")
            tag = self._from.partition("tag=")[2]
            self._from = f"{header(text, 'To')};tag={tag}"
            self._contact = header(text, "Contact").strip("<>").partition(">")[0]
            self.called_number = text.partition(" ")[2].removeprefix("sip:").partition("@")[0]
            self._learn_media(text)
            self._respond("180 Ringing", text)
            self._reach("ringing")
        elif method == "CANCEL":
            self._respond("200 OK", text)
            self.final_status = 487
            self._respond("487 Request Terminated", self._invite)
            self._reach("released")
        elif method == "ACK" and self.final_status >= 300:
            self._reach("released")
        elif method == "INVITE" and not self._states["answered"].is_set():
            self._respond("180 Ringing", text)
        else:
            super()._asked(method, text)

"""One end of an RTP stream for tests: PCMA silence, RFC 4733 events in and out, packets lost on purpose.

Its RTCP answers each sender report (RFC 3550 clause 6.4) as a wire of ``WIRE_MS`` there and back would.
"""

import random
import socket
import struct
import threading
import time
from types import TracebackType
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from tests.peers import LOOPBACK
from thirdring_hil.g711 import a_law_decode, a_law_encode

EVENTS: Final = "0123456789*#ABCD"
EVENT_TYPE: Final = 101
PCMA_TYPE: Final = 8
PACKET_S: Final = 0.02
PACKET_SAMPLES: Final = 160
SSRC: Final = 4711
WIRE_MS: Final = 40.0
SENDER_REPORT: Final = 200
RECEIVER_REPORT: Final = 201
END_PACKETS: Final = 3
"""RFC 4733 clause 2.5.1.4: the last packet of an event is sent three times."""


class RtpPeer:
    """Sends and receives on a port of its own; ``loss`` of the packets in each direction never arrive.

    It sends to where packets come from, or from the start to ``remote``.
    """

    def __init__(self, *, loss: float = 0.0, seed: int = 1, remote: tuple[str, int] | None = None) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((LOOPBACK, 0))
        self.port = int(self._socket.getsockname()[1])
        self._rtcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._rtcp.bind((LOOPBACK, 0))
        self.rtcp_port = int(self._rtcp.getsockname()[1])
        self._loss = loss
        self._random = random.Random(seed)
        self._remote = remote
        self._ready = threading.Event()
        if remote is not None:
            self._ready.set()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._digits: dict[int, str] = {}
        self._heard: dict[int, bytes] = {}
        self._sound: list[bytes] = []
        self._to_send: list[tuple[str, int, int]] = []
        self._idle = threading.Event()
        self._idle.set()
        self.lost = 0
        self._threads = [
            threading.Thread(target=run, daemon=True) for run in (self._receive, self._send, self._report)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", (LOOPBACK, self.port))
            waker.sendto(b"", (LOOPBACK, self.rtcp_port))
        for thread in self._threads:
            thread.join()
        self._socket.close()
        self._rtcp.close()

    @property
    def ports(self) -> dict[str, str]:
        """The keys of a SIPp scenario that offers this end."""
        return {"media": str(self.port), "rtcp": str(self.rtcp_port)}

    @property
    def digits(self) -> str:
        """The digits received: an event is told from the next by its timestamp (RFC 4733 clause 2.2.1)."""
        with self._lock:
            return "".join(self._digits.values())

    @property
    def heard(self) -> npt.NDArray[np.int16]:
        """The sound received (8 kHz), from the first packet on; nothing stands for what was lost."""
        with self._lock:
            packets = dict(self._heard)
        if not packets:
            return np.zeros(0, dtype=np.int16)
        first = next(iter(packets))
        at = {((stamp - first + 2**31) & 0xFFFFFFFF) - 2**31: data for stamp, data in packets.items()}
        heard = np.zeros(max(at) - min(at) + PACKET_SAMPLES, dtype=np.int16)
        for offset, payload in at.items():
            heard[offset - min(at) :][: len(payload)] = a_law_decode(payload)
        return heard

    def press(self, digits: str, duration_ms: int = 60, pause_ms: int = 60) -> None:
        """Send digits once the other side is known; return when the last one is out."""
        assert self._ready.wait(10.0), "no RTP came"
        self._idle.clear()
        with self._lock:
            self._to_send += [(digit, duration_ms, pause_ms) for digit in digits]
        assert self._idle.wait(len(digits) * (duration_ms + pause_ms) / 1000 + 30)

    def play(self, samples: npt.NDArray[np.int16]) -> None:
        """Send sound (8 kHz) from now on, or as soon as the other side is known; then silence."""
        coded = bytes(a_law_encode(samples))
        with self._lock:
            self._sound = [coded[at : at + PACKET_SAMPLES] for at in range(0, len(coded), PACKET_SAMPLES)]

    def _dropped(self) -> bool:
        if self._random.random() >= self._loss:
            return False
        self.lost += 1
        return True

    def _receive(self) -> None:
        while not self._stop.is_set():
            data, address = self._socket.recvfrom(2048)
            if len(data) < 12 or self._dropped():
                continue
            if not self._ready.is_set():
                self._remote = address
                self._ready.set()
            (_, kind, _, timestamp, _) = struct.unpack("!BBHII", data[:12])
            if kind & 0x7F == EVENT_TYPE and data[12] < len(EVENTS):
                with self._lock:
                    self._digits.setdefault(timestamp, EVENTS[data[12]])
            elif kind & 0x7F == PCMA_TYPE:
                with self._lock:
                    self._heard[timestamp] = data[12 : 12 + PACKET_SAMPLES]

    def _report(self) -> None:
        while not self._stop.is_set():
            data, address = self._rtcp.recvfrom(2048)
            if len(data) < 28 or data[1] != SENDER_REPORT:
                continue
            self._stop.wait(WIRE_MS / 1000)
            # The middle of the report's NTP time, and that it lay here for 1/65536 s: the rest is the way.
            block = data[4:8] + bytes(12) + data[10:14] + struct.pack("!I", 1)
            self._rtcp.sendto(struct.pack("!BBHI", 0x81, RECEIVER_REPORT, 7, SSRC) + block, address)

    def _send(self) -> None:
        sequence = timestamp = 0
        begin_s, ticks = time.monotonic(), 0

        def packet(kind: int, payload: bytes, stamp: int, marker: bool = False) -> None:
            nonlocal sequence
            sequence = (sequence + 1) & 0xFFFF
            header = struct.pack("!BBHII", 0x80, kind | marker << 7, sequence, stamp & 0xFFFFFFFF, SSRC)
            if self._remote is not None and not self._dropped():
                self._socket.sendto(header + payload, self._remote)

        def tick() -> None:
            nonlocal ticks, timestamp
            ticks += 1
            timestamp += PACKET_SAMPLES
            self._stop.wait(max(0.0, begin_s + ticks * PACKET_S - time.monotonic()))

        while not self._stop.is_set():
            with self._lock:
                press = self._to_send.pop(0) if self._to_send else None
                has_sound = bool(self._sound) and self._ready.is_set()
                sound = self._sound.pop(0) if has_sound else b"\xd5" * PACKET_SAMPLES
            if press is None:
                self._idle.set()
                packet(PCMA_TYPE, sound, timestamp)
                tick()
                continue
            digit, duration_ms, pause_ms = press
            stamp, event = timestamp, EVENTS.index(digit)
            packets = max(1, duration_ms // 20)
            for number in range(1, packets + 1):
                duration = number * PACKET_SAMPLES
                last = number == packets
                for _ in range(END_PACKETS if last else 1):
                    flags = 10 | (0x80 if last else 0)
                    packet(EVENT_TYPE, struct.pack("!BBH", event, flags, duration), stamp, number == 1)
                tick()
            for _ in range(max(1, pause_ms // 20)):
                packet(PCMA_TYPE, b"\xd5" * PACKET_SAMPLES, timestamp)
                tick()

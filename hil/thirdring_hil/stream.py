"""The bench's end of a stream of sound: RTP (RFC 3550) with telephone events (RFC 4733)."""

import secrets
import socket
import struct
import time
from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from thirdring_hil.codecs import FRAME_S, Codec

__all__ = ["EVENT_PAYLOAD", "HeardDigit", "Stream"]

EVENT_PAYLOAD: Final = 101
"""Payload type of telephone events in our SDP."""
EVENTS: Final = "0123456789*#ABCD"
"""Digits by event code (RFC 4733 clause 3.2)."""
CLOCK_PER_FRAME: Final = 160
END_PACKETS: Final = 3
"""The packet that ends an event is sent so often (RFC 4733 clause 2.5.1.4)."""

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True)
class HeardDigit:
    """An event that came in; ``duration_s`` by its last packet."""

    digit: str
    duration_s: float


class Stream:
    """Sends a frame each time ``tick`` is called; ``take`` receives. Both on the telephone's thread."""

    def __init__(self, host: str, codec: Codec) -> None:
        self.codec = codec
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.port: int = self.socket.getsockname()[1]
        self.to: tuple[str, int] | None = None
        self.spoke_at_s = 0.0
        """When the first frame of what ``speak`` was given last went out, on ``time.monotonic``."""
        self.latest_s = 0.0
        """By how much a frame went out too late at most since ``speak`` or ``press``: our own fault."""
        self._coder = codec.make()
        self._playing: Samples = np.zeros(0, dtype=np.int16)
        self._played = 0
        self._keys: deque[tuple[str, int, int]] = deque()
        self._key_frame = 0
        self._number = secrets.randbits(15)
        self._clock = 0
        self._source = secrets.randbits(32)
        self._heard: list[Samples] = []
        self._heard_samples = 0
        self._arrivals: list[tuple[int, float]] = []
        self._events: dict[int, HeardDigit] = {}

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()

    def speak(self, samples: Samples) -> None:
        """Send ``samples``, shape (n,), at the codec's rate, once; silence before and after."""
        self._playing, self._played, self.latest_s = samples, 0, 0.0

    def press(self, digits: str, on_ms: int = 100, off_ms: int = 100) -> None:
        """Send ``digits`` as events, whole frames of 20 ms on and off."""
        frames = round(on_ms / 1000 / FRAME_S), round(off_ms / 1000 / FRAME_S)
        self.latest_s = 0.0
        self._keys.extend((digit, *frames) for digit in digits)

    @property
    def busy(self) -> bool:
        """Whether something is still to be sent."""
        return bool(self._keys) or self._played < len(self._playing)

    @property
    def received(self) -> Samples:
        """The samples that came so far, shape (n,), in the order of arrival."""
        return np.concatenate([np.zeros(0, dtype=np.int16), *self._heard])

    @property
    def digits(self) -> list[HeardDigit]:
        """The events that came so far."""
        return list(self._events.values())

    def arrived_at_s(self, sample: int) -> float:
        """Return when the packet with that sample of ``received`` came, on ``time.monotonic``."""
        return next(at_s for first, at_s in reversed(self._arrivals) if first <= sample)

    def tick(self, due_s: float) -> None:
        """Send what is due at ``due_s``, on ``time.monotonic``."""
        self.latest_s = max(self.latest_s, time.monotonic() - due_s)
        if self.to is None:
            return
        if self._keys:
            self._tick_key(*self._keys[0])
        else:
            self._send(self.codec.payload, self._clock, self._coder.encode(self._next_frame()))
        self._clock += CLOCK_PER_FRAME

    def _next_frame(self) -> Samples:
        frame = self._playing[self._played : self._played + self.codec.frame]
        if len(frame) and self._played == 0:
            self.spoke_at_s = time.monotonic()
        self._played += len(frame)
        return np.pad(frame, (0, self.codec.frame - len(frame)))

    def _tick_key(self, digit: str, on: int, off: int) -> None:
        self._key_frame += 1
        if self._key_frame <= on:
            start = self._clock - (self._key_frame - 1) * CLOCK_PER_FRAME
            last = self._key_frame == on
            for _ in range(END_PACKETS if last else 1):
                event = struct.pack(
                    "!BBH", EVENTS.index(digit), last << 7 | 10, self._key_frame * CLOCK_PER_FRAME
                )
                self._send(EVENT_PAYLOAD, start, event, marker=self._key_frame == 1)
            return
        self._send(self.codec.payload, self._clock, self._coder.encode(self._next_frame()))
        if self._key_frame >= on + off:
            self._keys.popleft()
            self._key_frame = 0

    def _send(self, payload: int, clock: int, data: bytes, *, marker: bool = False) -> None:
        header = struct.pack(
            "!BBHII",
            0x80,
            marker << 7 | payload,
            self._number & 0xFFFF,
            clock & 0xFFFFFFFF,
            self._source,
        )
        self._number += 1
        assert self.to is not None  # noqa: S101 - tick sees to it
        self.socket.sendto(header + data, self.to)

    def take(self, packet: bytes, at_s: float) -> None:
        """Take a packet that came at ``at_s``."""
        if len(packet) <= 12:
            return
        payload, clock = packet[1] & 0x7F, struct.unpack_from("!I", packet, 4)[0]
        data = packet[12 + 4 * (packet[0] & 15) :]
        if payload == self.codec.payload:
            samples = self._coder.decode(data)
            self._arrivals.append((self._heard_samples, at_s))
            self._heard.append(samples)
            self._heard_samples += len(samples)
        elif payload == EVENT_PAYLOAD and len(data) >= 4 and data[0] < len(EVENTS):
            (duration,) = struct.unpack_from("!H", data, 2)
            self._events[clock] = HeardDigit(EVENTS[data[0]], duration / 8000)

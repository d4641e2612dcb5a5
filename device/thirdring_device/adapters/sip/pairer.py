"""Pairs the frames of both directions of a call, so that its media see one tick of both at a time."""

import logging
import threading
import traceback
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from thirdring_device.adapters.media import CallMedia
from thirdring_device.adapters.sip.frames import give, take

__all__ = ["FRAME_MS", "FRAME_SAMPLES", "SAMPLE_RATE_HZ", "FramePairer"]

log = logging.getLogger(__name__)

SAMPLE_RATE_HZ: Final = 16000
FRAME_MS: Final = 20
FRAME_SAMPLES: Final = SAMPLE_RATE_HZ * FRAME_MS // 1000


class FramePairer:
    """Pairs the frames of both directions and has them processed once a tick.

    ``*_received`` and ``*_requested`` belong to the bridge's clock thread, ``start`` and ``stop`` to the
    SIP thread. Frame addresses are ``int(frame.buf.this)``. Should the media fail, the sound goes through
    as it is: two people are talking.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._media: CallMedia | None = None
        self._mouth_in, self._ear_in, self._mouth_out, self._ear_out = (
            np.zeros(FRAME_SAMPLES, dtype=np.int16) for _ in range(4)
        )
        self._has_mouth = self._has_ear = False
        self._failed = False
        self.muted = False
        """Whether the microphone is taken for silence, before anything else hears it."""
        self.ticks = 0
        """Frames processed since ``start``."""
        self.spoken: Callable[[Any], None] | None = None
        """Gives the microphone's frame when the customer is due one; None: it comes by ``mouth_received``.

        The customer's frame it is processed with is then that of the tick before: no tick of delay for the
        agent's voice, one for the customer's.
        """

    def start(self, media: CallMedia) -> None:
        """Process from the next tick on; its first sample is sample 0."""
        with self._lock:
            self._media = media
            self._has_mouth = self._has_ear = self._failed = self.muted = False
            self.ticks = 0

    def stop(self) -> CallMedia | None:
        """Process no more; return what did, to be finished."""
        with self._lock:
            media, self._media = self._media, None
            self._mouth_out[:] = 0
            self._ear_out[:] = 0
            return media

    def mouth_received(self, address: int) -> None:
        """Take the microphone's frame."""
        if self.spoken is not None:
            return
        if self._has_mouth:
            self._process()
        take(address, self._mouth_in)
        self._has_mouth = True
        if self._has_ear:
            self._process()

    def ear_received(self, address: int) -> None:
        """Take the customer's frame."""
        if self._has_ear:
            self._process()
        take(address, self._ear_in)
        self._has_ear = True
        if self._has_mouth and self.spoken is None:
            self._process()

    def mouth_requested(self, address: int) -> int:
        """Give the frame for the customer; return its size in bytes."""
        spoken = self.spoken
        if spoken is not None:
            spoken(self._mouth_in)
            self._has_mouth = True
        if self._has_mouth or self._has_ear:
            self._process()
        return give(address, self._mouth_out)

    def ear_requested(self, address: int) -> int:
        """Give the frame for the headset's ear; return its size in bytes."""
        if self._has_mouth or self._has_ear:
            self._process()
        return give(address, self._ear_out)

    def _process(self) -> None:
        if not self._has_mouth or self.muted:
            self._mouth_in[:] = 0
        if not self._has_ear:
            self._ear_in[:] = 0
        self._has_mouth = self._has_ear = False
        with self._lock:
            if self._media is None:
                return
            self.ticks += 1
            if not self._failed:
                try:
                    self._media.process(self._mouth_in, self._ear_in, self._mouth_out, self._ear_out)
                    return
                except Exception:
                    self._failed = True
                    log.error("the call goes on unjudged:\n%s", traceback.format_exc().rstrip())
            self._mouth_out[:] = self._mouth_in
            self._ear_out[:] = self._ear_in

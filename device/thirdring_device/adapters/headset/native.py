"""A headset at a sound device of the machine (ALSA): a USB headset, or whatever has an ALSA name.

The bridge keeps its own clock, so that calls go on whatever becomes of the device; elastic buffers make up
for the two clocks' drift. The microphone's frame is asked for by each lane when the customer is due one, not
linked through the bridge, which would cost one tick (20 ms) of delay.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pjsua2 as pj

from thirdring.protocol.errors import error
from thirdring_device.adapters.headset.ear_sound import Earcon
from thirdring_device.adapters.headset.elastic import ElasticBuffer
from thirdring_device.adapters.headset.interface import Urgent
from thirdring_device.adapters.headset.lateness import TickHistogram
from thirdring_device.adapters.headset.names import check_device
from thirdring_device.adapters.headset.ring_sound import RingSound
from thirdring_device.adapters.headset.sides import DeviceSide
from thirdring_device.adapters.realtime import SoundThread
from thirdring_device.adapters.sip.frames import take
from thirdring_device.adapters.sip.guard import guarded
from thirdring_device.sound_settings import HeadsetSettings

__all__ = ["NativeHeadset"]

log = logging.getLogger(__name__)

Samples = npt.NDArray[np.int16]

SAMPLE_RATE_HZ: Final = 16000
FRAME_SAMPLES: Final = 320
MOUTH_BLOCK_MS: Final = 5
EAR_BLOCK_MS: Final = 10
MOUTH_MARGIN_SAMPLES: Final = 32
EAR_MARGIN_SAMPLES: Final = 80
"""2 and 5 ms kept in the buffers for a thread that comes later than it has of late."""
LIMIT_SAMPLES: Final = 1600
"""100 ms: what is older is dropped."""
FIRST_OPEN_S: Final = 2.0
"""A device that is not open so long after the start is told as lost."""
SIDETONE_OFF_DB: Final = -60.0


class _EarPort(pj.AudioMediaPort):  # type: ignore[misc]
    """The bridge's side: called on the clock thread, every tick, also between calls."""

    def __init__(self, headset: "NativeHeadset") -> None:
        super().__init__()
        self._headset = headset
        self._thread = SoundThread()

    @guarded
    def onFrameReceived(self, frame: Any) -> None:  # noqa: N802
        self._thread.here()
        self._headset._tick(int(frame.buf.this))


def _gain(level_db: float) -> float:
    return float(10 ** (level_db / 20))


class NativeHeadset:
    """The driver of the headset interface for ALSA devices."""

    def __init__(self, settings: HeadsetSettings) -> None:
        """Raise ``StorageError`` 5005 when ``device`` or ``ring_device`` can be no device."""
        check_device(settings.device)
        self.lateness = TickHistogram()
        self._device = settings.device
        self._mouth = self._side(settings.device, "capture")
        self._ear = self._side(settings.device, "playback")
        self._ringer: DeviceSide | None = None
        if settings.ring_device not in ("headset", "none"):
            check_device(settings.ring_device)
            self._ringer = self._side(settings.ring_device, "playback")
        self._ring = RingSound(SAMPLE_RATE_HZ)
        self._earcon = Earcon(SAMPLE_RATE_HZ)
        self._rings_in_ear = settings.ring_device == "headset"
        self._told: Callable[[bool, str], None] = lambda present, reason: None
        self._present: bool | None = None
        self._opened_s = 0.0
        self._noise = np.random.default_rng()
        self._spoken = np.zeros(FRAME_SAMPLES, dtype=np.int16)
        self._heard = np.zeros(FRAME_SAMPLES, dtype=np.int16)
        self._silence = np.zeros(FRAME_SAMPLES, dtype=np.int16)
        self._has_spoken = False
        self._port: _EarPort | None = None
        self._linked: list[tuple[Any, Any]] = []
        self.adjust(settings)

    @staticmethod
    def _side(device: str, direction: Any) -> DeviceSide:
        mouth = direction == "capture"
        margin = MOUTH_MARGIN_SAMPLES if mouth else EAR_MARGIN_SAMPLES
        buffer = ElasticBuffer(SAMPLE_RATE_HZ, margin, LIMIT_SAMPLES)
        block_ms = MOUTH_BLOCK_MS if mouth else EAR_BLOCK_MS
        return DeviceSide(device, direction, buffer, rate_hz=SAMPLE_RATE_HZ, block_ms=block_ms)

    @property
    def name(self) -> str:
        """See ``Headset``."""
        return self._device

    @property
    def spoken(self) -> Callable[[Samples], None]:
        """See ``Headset``."""
        return self._give

    def watch(self, told: Callable[[bool, str], None]) -> None:
        """See ``Headset``."""
        self._told = told

    def adjust(self, settings: HeadsetSettings) -> None:
        """See ``Headset``."""
        self._ear_gain = _gain(settings.ear_db)
        off = settings.sidetone_db <= SIDETONE_OFF_DB
        self._sidetone_gain = 0.0 if off else _gain(settings.sidetone_db)
        self._ring_dbov = settings.ring_dbov
        self._earcon_dbov = settings.earcon_dbov
        self._noise_rms = 32768.0 * _gain(settings.comfort_noise_dbov)

    def ring(self, urgency: Urgent) -> None:
        """See ``Headset``."""
        self._ring.ring(urgency, self._ring_dbov)

    def earcon(self, urgency: Literal["warn", "urgent"]) -> None:
        """See ``Headset``."""
        self._earcon.sound(urgency, self._earcon_dbov)

    def open(self, media_format: Any) -> None:
        """See ``Headset``."""
        self._opened_s = time.monotonic()
        for side in self._sides:
            side.start()
        self._port = _EarPort(self)
        self._port.createPort("headset", media_format)

    def connect(self, mouth: Any, ear: Any) -> None:
        """See ``Headset``; the mouth comes by ``spoken``."""
        assert self._port is not None, "open comes first"  # noqa: S101
        ear.startTransmit(self._port)
        self._linked.append((mouth, ear))

    def disconnect(self, mouth: Any, ear: Any) -> None:
        """See ``Headset``."""
        if (mouth, ear) in self._linked:
            self._linked.remove((mouth, ear))
            assert self._port is not None, "close comes last"  # noqa: S101
            ear.stopTransmit(self._port)

    def close(self) -> None:
        """See ``Headset``."""
        for mouth, ear in tuple(self._linked):
            self.disconnect(mouth, ear)
        self._port = None
        for side in self._sides:
            side.close()

    def speak(self, path: Path) -> float:
        """See ``Headset``."""
        raise error(4002, f"{self._device} speaks only through people")

    def stop_speaking(self) -> None:
        """See ``Headset``."""

    @property
    def _sides(self) -> list[DeviceSide]:
        return [side for side in (self._mouth, self._ear, self._ringer) if side is not None]

    # --- the bridge's clock thread ------------------------------------------------------------------

    def _give(self, out: Samples) -> None:
        """Give the microphone's frame of this tick: every lane that asks gets the same."""
        if not self._has_spoken:
            self._has_spoken = True
            given = self._mouth.buffer.take(self._spoken)
            if given < FRAME_SAMPLES:
                # What is not there in time is filled with noise: silence would sound like a dead line.
                noise = self._noise.normal(0.0, self._noise_rms, FRAME_SAMPLES - given)
                self._spoken[given:] = np.clip(np.rint(noise), -32768, 32767)
        out[:] = self._spoken

    def _tick(self, address: int) -> None:
        """Take the frame for the ear."""
        now_s = time.perf_counter()
        self.lateness.tick(now_s)
        heard = self._heard
        take(address, heard)
        if self._ear_gain != 1.0:
            heard[:] = np.rint(heard * self._ear_gain)
        if not self._has_spoken:  # nobody listens: keep the buffer short all the same
            self._give(self._spoken)
        if self._linked and self._sidetone_gain:
            mixed = np.rint(heard + self._sidetone_gain * self._spoken)
            heard[:] = np.clip(mixed, -32768, 32767)
        self._has_spoken = False
        if self._rings_in_ear:
            self._ring.add_to(heard)
        self._earcon.add_to(heard)
        self._ear.buffer.put(heard)
        if self._ringer is not None:
            self._silence[:] = 0
            self._ring.add_to(self._silence)
            self._ringer.buffer.put(self._silence)
        self._look()

    def _look(self) -> None:
        """Tell when the device has gone or come."""
        now_s = time.monotonic()
        sides = (self._mouth, self._ear)
        present = all(side.alive(now_s) for side in sides)
        if present == self._present or (
            self._present is None and not present and now_s < self._opened_s + FIRST_OPEN_S
        ):
            return
        self._present = present
        reasons = [side.reason or "it moves no sound" for side in sides if not side.alive(now_s)]
        self._told(present, "; ".join(dict.fromkeys(reasons)))

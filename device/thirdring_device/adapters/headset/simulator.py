"""A headset without an agent: its microphone speaks sound files, its ear is written to one."""

import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pjsua2 as pj
import soundfile

from thirdring.protocol.errors import error
from thirdring_device.adapters.headset.ear_sound import Earcon
from thirdring_device.adapters.headset.interface import Urgent
from thirdring_device.adapters.headset.lateness import TickHistogram
from thirdring_device.adapters.headset.recorder import EarRecorder
from thirdring_device.adapters.headset.ring_sound import RingSound
from thirdring_device.adapters.realtime import SoundThread
from thirdring_device.adapters.resample import resample
from thirdring_device.adapters.sip.frames import give, take
from thirdring_device.adapters.sip.guard import guarded
from thirdring_device.sound_settings import HeadsetSettings

__all__ = ["EAR_FILE", "SimulatedHeadset", "read_sound"]

EAR_FILE: Final = "ear.wav"
SAMPLE_RATE_HZ: Final = 16000
FRAME_SAMPLES: Final = 320

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]


def read_sound(path: Path, sample_rate_hz: int = SAMPLE_RATE_HZ) -> Samples:
    """Read a sound file of any rate and number of channels as mono int16, channels averaged.

    Raises ``MediaError`` 4000 when it cannot be read or holds no sample.
    """
    try:
        data, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
    except (soundfile.SoundFileError, OSError, ValueError, TypeError) as reason:
        raise error(4000, f"{path}: {reason}") from reason
    if not len(data):
        raise error(4000, f"{path}: no samples")
    mono = np.nan_to_num(data.mean(axis=1))
    mono = resample(mono, rate_hz, sample_rate_hz)
    rounded: Samples = np.clip(np.rint(mono * 32768.0), -32768, 32767).astype(np.int16)
    return rounded


class _HeadsetPort(pj.AudioMediaPort):  # type: ignore[misc]
    """The bridge's side: all of it on the clock thread."""

    def __init__(self, headset: "SimulatedHeadset") -> None:
        super().__init__()
        self._headset = headset
        self._thread = SoundThread()

    @guarded
    def onFrameRequested(self, frame: Any) -> None:  # noqa: N802
        self._thread.here()
        frame.size = self._headset._spoken(int(frame.buf.this))
        frame.type = pj.PJMEDIA_FRAME_TYPE_AUDIO

    @guarded
    def onFrameReceived(self, frame: Any) -> None:  # noqa: N802
        self._headset._heard(int(frame.buf.this))


class SimulatedHeadset:
    """The simulator of the headset interface.

    ``directory`` is where ``ear.wav`` (16 kHz, mono) goes, ``None`` for nowhere; it grows only while a
    call has the sound, or something sounds that is for the agent alone. ``lateness`` has the intervals
    between the bridge's ticks.
    """

    def __init__(self, directory: Path | None) -> None:
        self.lateness = TickHistogram()
        self._directory = directory
        self._lock = threading.Lock()
        self._queue: deque[Samples] = deque()
        self._position = 0
        self._frame = np.zeros(FRAME_SAMPLES, dtype=np.int16)
        self._ear = np.zeros(FRAME_SAMPLES, dtype=np.int16)
        self._port: _HeadsetPort | None = None
        self._linked: list[tuple[Any, Any]] = []
        self._recorder: EarRecorder | None = None
        self._ring = RingSound(SAMPLE_RATE_HZ)
        self._earcon = Earcon(SAMPLE_RATE_HZ)
        self._settings = HeadsetSettings()

    @property
    def name(self) -> str:
        """See ``Headset``."""
        return "simulated headset"

    @property
    def spoken(self) -> None:
        """See ``Headset``: the microphone is linked in the bridge."""

    def open(self, media_format: Any) -> None:
        """See ``Headset``."""
        if self._directory is not None:
            self._recorder = EarRecorder(self._directory / EAR_FILE, SAMPLE_RATE_HZ)
        self._port = _HeadsetPort(self)
        self._port.createPort("headset", media_format)

    def connect(self, mouth: Any, ear: Any) -> None:
        """See ``Headset``."""
        assert self._port is not None, "open comes first"  # noqa: S101
        self._port.startTransmit(mouth)
        ear.startTransmit(self._port)
        self._linked.append((mouth, ear))

    def disconnect(self, mouth: Any, ear: Any) -> None:
        """See ``Headset``."""
        if (mouth, ear) in self._linked:
            self._linked.remove((mouth, ear))
            assert self._port is not None, "close comes last"  # noqa: S101
            self._port.stopTransmit(mouth)
            ear.stopTransmit(self._port)

    def close(self) -> None:
        """See ``Headset``."""
        for mouth, ear in tuple(self._linked):
            self.disconnect(mouth, ear)
        self._port = None
        if self._recorder is not None:
            self._recorder.close()
            self._recorder = None

    def watch(self, told: Callable[[bool, str], None]) -> None:
        """See ``Headset``."""

    def adjust(self, settings: HeadsetSettings) -> None:
        """See ``Headset``."""
        self._settings = settings

    def ring(self, urgency: Urgent) -> None:
        """See ``Headset``; it is heard where a headset's own ring would be."""
        if self._settings.ring_device == "headset":
            self._ring.ring(urgency, self._settings.ring_dbov)

    def earcon(self, urgency: Literal["warn", "urgent"]) -> None:
        """See ``Headset``."""
        self._earcon.sound(urgency, self._settings.earcon_dbov)

    def speak(self, path: Path) -> float:
        """See ``Headset``; reading and resampling happen in the caller's thread."""
        samples = read_sound(path)
        with self._lock:
            self._queue.append(samples)
        return len(samples) / SAMPLE_RATE_HZ

    def stop_speaking(self) -> None:
        """See ``Headset``."""
        with self._lock:
            self._queue.clear()
            self._position = 0

    @property
    def speaking(self) -> bool:
        """Whether something is still to be spoken."""
        return bool(self._queue)

    def _spoken(self, address: int) -> int:
        """Give the next frame of the microphone, silence when nothing is to be spoken."""
        frame, filled = self._frame, 0
        with self._lock:
            while self._queue and filled < FRAME_SAMPLES:
                samples = self._queue[0]
                part = samples[self._position : self._position + FRAME_SAMPLES - filled]
                frame[filled : filled + len(part)] = part
                filled += len(part)
                self._position += len(part)
                if self._position == len(samples):
                    self._queue.popleft()
                    self._position = 0
        frame[filled:] = 0
        return give(address, frame)

    def _heard(self, address: int) -> None:
        """Take a frame of the ear; comes every tick, also between calls."""
        self.lateness.tick(time.perf_counter())
        take(address, self._ear)
        rings, prompts = self._ring.add_to(self._ear), self._earcon.add_to(self._ear)
        if self._recorder is not None and (self._linked or rings or prompts):
            self._recorder.write(self._ear.tobytes())

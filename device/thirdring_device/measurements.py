"""What the self-test measures of a machine: each figure with the limits that it must keep."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from thirdring.protocol.events import Event
from thirdring_device.engine.media import FRAME_SAMPLES, SAMPLE_RATE_HZ, CallSound
from thirdring_device.settings import Settings
from thirdring_dsp.dtmf import DtmfDetector
from thirdring_dsp.speech_level import SpeechLevelMeter

__all__ = ["Measurement", "measure"]

FRAMES: Final = 250
"""5 s of a call."""
TONE_DBOV: Final = -20.0
KEYS: Final = "123A456B789C*0#D"
LOW_HZ, HIGH_HZ = (697.0, 770.0, 852.0, 941.0), (1209.0, 1336.0, 1477.0, 1633.0)
"""ITU-T Q.23."""
KEY_RATE_HZ: Final = 8000
SYNCS: Final = 5
SYNC_BYTES: Final = 4096
THERMAL: Final = Path("/sys/class/thermal")
MEMORY: Final = Path("/proc/meminfo")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure; ``low`` and ``high`` are inclusive, None where there is no such limit."""

    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None

    @property
    def kept(self) -> bool:
        """Whether the limits are kept."""
        return (self.low is None or self.value >= self.low) and (self.high is None or self.value <= self.high)


def measure(settings: Settings, state_dir: Path | None) -> Iterator[Measurement]:
    """Yield what this machine can be measured for; about two seconds.

    A directory's figures are left out without ``state_dir``, the temperature without a sensor.
    """
    # Two calls at a time, and SIP, codecs and gateway beside them, fit into 20 ms with this.
    yield Measurement("sound.frame", round(_frame_ms(settings), 3), "ms", high=4.0)
    # G.100.1: the meter of every level norm.
    yield Measurement("sound.level_error", round(_level_error_db(), 2), "dB", low=-0.5, high=0.5)
    yield Measurement("sound.keys_heard", float(_keys_heard()), "keys", low=float(len(KEYS)))
    if state_dir is not None:
        yield Measurement("disk.sync", round(_sync_ms(state_dir), 1), "ms", high=500.0)
        free = os.statvfs(state_dir)
        free_mb = free.f_bavail * free.f_frsize / 1e6
        yield Measurement("disk.free", round(free_mb), "MB", low=float(settings.recording.reserve_mb))
    if (available_mb := _available_mb()) is not None:
        yield Measurement("memory.available", round(available_mb), "MB", low=64.0)
    if (hottest_c := _hottest_c()) is not None:
        # At 80 degrees a Raspberry Pi slows down.
        yield Measurement("processor.temperature", round(hottest_c, 1), "°C", high=80.0)


def _frame_ms(settings: Settings) -> float:
    """Return the processor's time for one 20 ms frame of a call, both directions."""
    posted: list[Event] = []
    sound = CallSound("self-test", "none", settings, posted.append, lambda: 0.0)
    speech = np.random.default_rng(1).normal(0.0, 1500.0, (2, FRAME_SAMPLES)).astype(np.int16)
    out = np.zeros((2, FRAME_SAMPLES), np.int16)
    began_s = time.thread_time()
    for _ in range(FRAMES):
        sound.process(speech[0], speech[1], out[0], out[1])
    return 1000.0 * (time.thread_time() - began_s) / FRAMES


def _level_error_db() -> float:
    """Return by how much the meter is wrong about a 1 kHz tone whose level is known."""
    peak = 32768.0 * np.sqrt(2.0) * 10.0 ** (TONE_DBOV / 20.0)
    times_s = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    meter = SpeechLevelMeter(SAMPLE_RATE_HZ)
    meter.update(np.round(peak * np.sin(2.0 * np.pi * 1000.0 * times_s)).astype(np.int16))
    return meter.long_term_level_dbov - TONE_DBOV


def _keys_heard() -> int:
    """Return how many of the sixteen DTMF keys are heard as what they are."""
    times_s = np.arange(KEY_RATE_HZ // 10) / KEY_RATE_HZ
    silence = np.zeros(len(times_s), np.int16)
    heard = ""
    detector = DtmfDetector(KEY_RATE_HZ)
    for low_hz in LOW_HZ:
        for high_hz in HIGH_HZ:
            both = np.sin(2.0 * np.pi * low_hz * times_s) + np.sin(2.0 * np.pi * high_hz * times_s)
            for block in ((3000.0 * both).astype(np.int16), silence):
                heard += "".join(event.value for event in detector.update(block) if event.kind == "dtmf")
    return sum(given == meant for given, meant in zip(heard, KEYS, strict=False))


def _sync_ms(folder: Path) -> float:
    """Return the longest of a few writes that wait for the disk; raises ``OSError``."""
    file = folder / f"self-test.{os.getpid()}"
    longest_s = 0.0
    try:
        with file.open("wb", buffering=0) as out:
            for _ in range(SYNCS):
                began_s = time.monotonic()
                out.write(bytes(SYNC_BYTES))
                os.fsync(out.fileno())
                longest_s = max(longest_s, time.monotonic() - began_s)
    finally:
        file.unlink(missing_ok=True)
    return 1000.0 * longest_s


def _available_mb() -> float | None:
    try:
        lines = MEMORY.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024 / 1e6
    return None


def _hottest_c() -> float | None:
    found = []
    for sensor in THERMAL.glob("thermal_zone*/temp"):
        try:
            found.append(int(sensor.read_text(encoding="ascii")) / 1000.0)
        except (OSError, ValueError):
            continue
    return max(found, default=None)

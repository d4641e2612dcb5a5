"""Telling both sides that a call is recorded: an announcement before it begins, a tone while it goes on.

The recorder warning tone is half a second of 1400 Hz every 15 s (Federal Standard 1037C, "recorder warning
tone"). Neither is heard by the detectors nor stands in the recording: they see the call's own sound.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from thirdring.protocol.errors import ThirdringError, error
from thirdring_device.adapters.headset.simulator import read_sound
from thirdring_device.adapters.media import CallMedia
from thirdring_device.engine.media import SAMPLE_RATE_HZ

__all__ = ["BEEP", "NOTHING", "Announced", "Announcer", "announcement", "warning_tone"]

Samples = npt.NDArray[np.int16]

BEEP: Final = "beep"
"""Stands for the warning tone in place of a file."""
TONE_HZ: Final = 1400.0
TONE_S: Final = 0.5
TONE_EVERY_S: Final = 15.0
TONE_RMS_DBOV: Final = -26.0
"""As loud as speech."""
RAMP_S: Final = 0.005
"""So that it does not click."""
LONGEST_S: Final = 60.0
NOTHING: Final = np.zeros(0, np.int16)


def warning_tone() -> Samples:
    """Return the tone as 16 kHz int16."""
    time_s = np.arange(round(TONE_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    peak = math.sqrt(2.0) * 32768.0 * 10.0 ** (TONE_RMS_DBOV / 20.0)
    ramp = np.clip(np.minimum(time_s, time_s[::-1]) / RAMP_S, 0.0, 1.0)
    tone: Samples = np.rint(peak * ramp * np.sin(2.0 * math.pi * TONE_HZ * time_s)).astype(np.int16)
    return tone


def announcement(named: str) -> Samples:
    """Return what is set to be announced, as 16 kHz int16; nothing for an empty name.

    Raises ``MediaError`` 4026 for a file that cannot be played or is longer than a minute.
    """
    if not named:
        return NOTHING
    if named == BEEP:
        return warning_tone()
    try:
        samples = read_sound(Path(named), SAMPLE_RATE_HZ)
    except ThirdringError as reason:
        raise error(4026, reason.detail) from reason
    if len(samples) > LONGEST_S * SAMPLE_RATE_HZ:
        raise error(4026, f"{named}: longer than {LONGEST_S:g} s")
    return samples


class Announcer:
    """Puts the announcement, then the tones, over what both sides hear, from the answer on."""

    def __init__(
        self, told: Samples, tone: Samples, over: Callable[[], None], recording: Callable[[], bool]
    ) -> None:
        """``told`` is said once, then ``over`` is called; ``tone`` sounds while ``recording`` says so."""
        self._told, self._tone = told, tone
        self._over, self._recording = over, recording
        self._answered = False
        self._at = 0
        """Samples since the answer."""

    def answered(self) -> None:
        """Begin with the next frame."""
        self._answered = True

    def put(self, mouth_out: Samples, ear_out: Samples) -> None:
        """Change one frame of what goes out to either side; on the clock thread."""
        if not self._answered:
            return
        at, told_samples = self._at, len(self._told)
        self._at += len(mouth_out)
        if at < told_samples:
            piece = self._told[at : self._at]
            for out in (mouth_out, ear_out):
                out[: len(piece)] = piece
            if self._at >= told_samples:
                self._over()
        elif len(self._tone) and self._recording():
            self._add_tone(mouth_out, ear_out, at - told_samples)

    def _add_tone(self, mouth_out: Samples, ear_out: Samples, at: int) -> None:
        place = at % round(TONE_EVERY_S * SAMPLE_RATE_HZ)
        piece = self._tone[place : place + len(mouth_out)].astype(np.int32)
        if len(piece):
            for out in (mouth_out, ear_out):
                out[: len(piece)] = np.clip(out[: len(piece)] + piece, -32768, 32767)


class Announced:
    """A call's sound with its announcer; see ``CallMedia``."""

    def __init__(self, inner: CallMedia, announcer: Announcer) -> None:
        self._inner, self._announcer = inner, announcer

    def process(self, mouth_in: Any, ear_in: Any, mouth_out: Any, ear_out: Any) -> None:
        """Process one frame, then put the announcement over it."""
        self._inner.process(mouth_in, ear_in, mouth_out, ear_out)
        self._announcer.put(mouth_out, ear_out)

    def finish(self) -> None:
        """See ``CallMedia``."""
        self._inner.finish()

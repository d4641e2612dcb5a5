"""Short sounds for the agent alone, added to what the ear gets: one at a time, the newest."""

from collections.abc import Mapping
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

__all__ = ["EARCON_OFF_DBOV", "EarSound", "Earcon", "faded"]

Samples = npt.NDArray[np.int16]
Signal = npt.NDArray[np.float64]

FADE_S: Final = 0.005
EARCON_OFF_DBOV: Final = -60.0
"""Stands for no sound at all."""
EARCON_TONES_HZ: Final = (1200.0, 1600.0)
"""Above the ringer's tones and the networks' (ITU-T E.180), so that it is taken for neither."""
EARCON_TONE_S: Final = 0.09
EARCON_PAUSE_S: Final = 0.07


def faded(phase: Signal, rate_hz: int) -> Signal:
    """Return the sine of ``phase``, 0 dBov RMS in the units of int16, without a click at its ends."""
    time_s = np.arange(len(phase)) / rate_hz
    envelope = np.clip(np.minimum(time_s, len(phase) / rate_hz - time_s) / FADE_S, 0.0, 1.0)
    return np.asarray(np.sqrt(2.0) * 32768.0 * envelope * np.sin(phase))


class EarSound:
    """Frames of one of several sounds. ``play`` comes from any thread, ``add_to`` from one."""

    def __init__(self, sounds: Mapping[str, Signal]) -> None:
        self._sounds = sounds
        self._playing: tuple[Signal, float, int] | None = None
        """Sound, gain and position."""
        self._asked: tuple[str | None, float] | None = None

    def play(self, name: str | None, level_dbov: float) -> None:
        """Begin a sound at ``level_dbov`` (RMS), in place of the one that plays; None: fall silent."""
        self._asked = name, 10 ** (level_dbov / 20)

    def add_to(self, frame: Samples) -> bool:
        """Add the next piece to ``frame``; return whether there was one.

        The sum is no louder than the louder of the two: what comes behind the ear's limiter must not pass it.
        """
        if self._asked is not None:
            (name, gain), self._asked = self._asked, None
            self._playing = None if name is None else (self._sounds[name], gain, 0)
        if self._playing is None:
            return False
        sound, gain, at = self._playing
        piece = np.rint(gain * sound[at : at + len(frame)])
        under = frame[: len(piece)].astype(np.float64)
        most = min(32767.0, max(np.abs(piece).max(initial=0.0), np.abs(under).max(initial=0.0)))
        frame[: len(piece)] = np.clip(under + piece, -most, most)
        at += len(frame)
        self._playing = (sound, gain, at) if at < len(sound) else None
        return True


class Earcon(EarSound):
    """What goes with a prompt: two rising tones, twice when it is urgent."""

    def __init__(self, rate_hz: int) -> None:
        time_s = np.arange(round(EARCON_TONE_S * rate_hz)) / rate_hz
        pair = np.concatenate([faded(2 * np.pi * tone_hz * time_s, rate_hz) for tone_hz in EARCON_TONES_HZ])
        pause = np.zeros(round(EARCON_PAUSE_S * rate_hz))
        super().__init__({"warn": pair, "urgent": np.concatenate([pair, pause, pair])})

    def sound(self, urgency: Literal["warn", "urgent"], level_dbov: float) -> None:
        """Sound once, unless ``level_dbov`` is ``EARCON_OFF_DBOV``."""
        if level_dbov > EARCON_OFF_DBOV:
            self.play(urgency, level_dbov)

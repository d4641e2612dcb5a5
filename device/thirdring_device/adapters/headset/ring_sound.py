"""The sound of the ringer: a warble, one burst a ring, as loud as it is urgent."""

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from thirdring_device.core.rings import RING_GAINS_DB, Urgency

__all__ = ["RingSound"]

Samples = npt.NDArray[np.int16]

TONES_HZ: Final = (800.0, 1000.0)
WARBLE_S: Final = 0.05
BURST_S: Final = 1.0
FADE_S: Final = 0.005


class RingSound:
    """Frames of the ringer's sound. ``ring`` comes from any thread, ``add_to`` from one."""

    def __init__(self, rate_hz: int) -> None:
        time_s = np.arange(int(BURST_S * rate_hz)) / rate_hz
        high = (time_s / WARBLE_S).astype(int) % 2 == 1
        phase = 2 * np.pi * np.cumsum(np.where(high, TONES_HZ[1], TONES_HZ[0])) / rate_hz
        envelope = np.clip(np.minimum(time_s, BURST_S - time_s) / FADE_S, 0.0, 1.0)
        self._burst = np.sqrt(2.0) * 32768.0 * envelope * np.sin(phase)
        self._playing: tuple[float, int] | None = None
        """Gain and position of the burst."""
        self._asked: tuple[float | None] | None = None

    def ring(self, urgency: Urgency | Literal["waiting"] | None, level_dbov: float) -> None:
        """Begin one burst at ``level_dbov`` (RMS) plus the urgency's gain; None: fall silent."""
        gain = None if urgency is None else 10 ** ((level_dbov + RING_GAINS_DB[urgency]) / 20)
        self._asked = (gain,)

    def add_to(self, frame: Samples) -> bool:
        """Add the next piece to ``frame``; return whether there was one."""
        if self._asked is not None:
            (gain,), self._asked = self._asked, None
            self._playing = None if gain is None else (gain, 0)
        if self._playing is None:
            return False
        gain, at = self._playing
        piece = gain * self._burst[at : at + len(frame)]
        frame[: len(piece)] = np.clip(np.rint(frame[: len(piece)] + piece), -32768, 32767)
        at += len(frame)
        self._playing = (gain, at) if at < len(self._burst) else None
        return True

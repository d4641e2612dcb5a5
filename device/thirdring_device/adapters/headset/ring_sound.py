"""The sound of the ringer: a warble, one burst a ring, as loud as it is urgent."""

from typing import Final, Literal

import numpy as np

from thirdring_device.adapters.headset.ear_sound import EarSound, faded
from thirdring_device.core.rings import RING_GAINS_DB, Urgency

__all__ = ["RingSound"]

TONES_HZ: Final = (800.0, 1000.0)
WARBLE_S: Final = 0.05
BURST_S: Final = 1.0


class RingSound(EarSound):
    """Frames of the ringer's sound."""

    def __init__(self, rate_hz: int) -> None:
        time_s = np.arange(int(BURST_S * rate_hz)) / rate_hz
        high = (time_s / WARBLE_S).astype(int) % 2 == 1
        phase = 2 * np.pi * np.cumsum(np.where(high, TONES_HZ[1], TONES_HZ[0])) / rate_hz
        super().__init__({"burst": faded(phase, rate_hz)})

    def ring(self, urgency: Urgency | Literal["waiting"] | None, level_dbov: float) -> None:
        """Begin one burst at ``level_dbov`` (RMS) plus the urgency's gain; None: fall silent."""
        if urgency is None:
            self.play(None, level_dbov)
        else:
            self.play("burst", level_dbov + RING_GAINS_DB[urgency])

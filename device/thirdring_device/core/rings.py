"""The rings a caller hears, and the ladder that grows more urgent with them.

A ring is one period of the trunk's national ringback cadence (ITU-T E.180), counted from our first 180:
the caller's exchange starts its ringback then. In China (1 s on, 4 s off) rings begin at 0, 5, 10, 15 s.
"""

import math
from typing import Final, Literal

from thirdring_device.core.norms.settings import AnswerSettings

__all__ = ["RING_GAINS_DB", "RingLadder", "Urgency"]

Urgency = Literal["normal", "warn", "urgent", "breach"]

RING_GAINS_DB: Final = {"normal": 0, "warn": 6, "urgent": 6, "breach": 6, "waiting": -20}
"""The ringer grows 6 dB louder at the warning (norms.md, answer.rings); a waiting call only knocks."""


class RingLadder:
    """Which ring begins when, and how urgent it is. Pure arithmetic; the caller keeps the time."""

    def __init__(self, settings: AnswerSettings, period_s: float, first_ring_at_s: float) -> None:
        self._settings = settings
        self._period_s = period_s
        self.first_ring_at_s = first_ring_at_s

    def begins_at_s(self, ring: int) -> float:
        """When ring number ``ring`` (from 1) begins."""
        return self.first_ring_at_s + (ring - 1) * self._period_s

    def begun_by(self, at_s: float) -> int:
        """Rings begun by ``at_s``; one that begins at that very moment counts."""
        if at_s < self.first_ring_at_s:
            return 0
        return math.floor((at_s - self.first_ring_at_s) / self._period_s) + 1

    def urgency(self, ring: int) -> Urgency:
        """Step of the ladder that ring number ``ring`` stands on."""
        if ring > self._settings.max_rings:
            return "breach"
        if ring == self._settings.max_rings:
            return "urgent"
        return "warn" if ring >= self._settings.warn_ring else "normal"

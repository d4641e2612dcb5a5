"""Lamps that the kernel has as LEDs (``Documentation/leds/leds-class.rst``); it blinks them by itself."""

import logging
from pathlib import Path
from typing import Final, Literal

from thirdring_device.board_file import Lamps
from thirdring_device.core.rings import Urgency

__all__ = ["LedBoard"]

log = logging.getLogger(__name__)

LEDS: Final = Path("/sys/class/leds")
SLOW_MS: Final = 500
FAST_MS: Final = 125
"""Half of a blink's time."""
PACES: Final = {"normal": SLOW_MS, "warn": FAST_MS, "urgent": FAST_MS, "breach": 0, "waiting": SLOW_MS}
"""0: steady."""


class LedBoard:
    """The lamp that blinks with the ring, and the one that is lit while the headset is gone."""

    name = "leds"

    def __init__(self, lamps: Lamps, leds: Path = LEDS) -> None:
        self._ring = leds / lamps.ring
        self._headset = leds / lamps.headset if lamps.headset else None
        self._dark: set[Path] = set()
        self.set_ringer(None)
        self.set_headset_lamp(lost=False)

    def set_ringer(self, urgency: Urgency | Literal["waiting"] | None) -> None:
        """See ``Board``."""
        if urgency is None or PACES[urgency] == 0:
            self._write(self._ring, trigger="none", brightness=int(urgency is not None))
            return
        pace_ms = PACES[urgency]
        self._write(self._ring, trigger="timer", delay_on=pace_ms, delay_off=pace_ms)

    def set_headset_lamp(self, *, lost: bool) -> None:
        """See ``Board``."""
        if self._headset is not None:
            self._write(self._headset, trigger="none", brightness=int(lost))

    def _write(self, led: Path, **values: str | int) -> None:
        """Set attributes in order; a lamp that is not there costs the light, not the call, and is told once."""
        try:
            for name, value in values.items():
                (led / name).write_text(f"{value}\n", encoding="ascii")
            self._dark.discard(led)
        except OSError as reason:
            if led not in self._dark:
                log.warning("lamp %s: %s", led.name, reason)
            self._dark.add(led)

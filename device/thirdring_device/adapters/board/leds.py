"""Lamps that the kernel has as LEDs with its timer trigger (``Documentation/leds/leds-class.rst``).

Device tree and udev rule bring the trigger: it belongs to root, which lamp has which.
"""

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
STEADY: Final = (SLOW_MS, 0)
DARK: Final = (0, SLOW_MS)
"""How long on and off, in ms; both 0 would be the kernel's own pace."""
PACES: Final = {
    "normal": (SLOW_MS, SLOW_MS),
    "warn": (FAST_MS, FAST_MS),
    "urgent": (FAST_MS, FAST_MS),
    "breach": STEADY,
    "waiting": (SLOW_MS, SLOW_MS),
}


class LedBoard:
    """The lamp that blinks with the ring, and the one that is lit while the headset is gone."""

    name = "leds"

    def __init__(self, lamps: Lamps, leds: Path = LEDS) -> None:
        self._ring = leds / lamps.ring
        self._headset = leds / lamps.headset if lamps.headset else None
        self._missing: set[Path] = set()
        self.set_ringer(None)
        self.set_headset_lamp(lost=False)

    def set_ringer(self, urgency: Urgency | Literal["waiting"] | None) -> None:
        """See ``Board``."""
        self._show(self._ring, DARK if urgency is None else PACES[urgency])

    def set_headset_lamp(self, *, lost: bool) -> None:
        """See ``Board``."""
        if self._headset is not None:
            self._show(self._headset, STEADY if lost else DARK)

    def _show(self, led: Path, on_off_ms: tuple[int, int]) -> None:
        """Set a lamp's times; one that is not there costs the light, not the call, and is told once."""
        times = dict(zip(("delay_on", "delay_off"), on_off_ms, strict=True))
        try:
            for name in sorted(times, key=times.__getitem__, reverse=True):  # never both 0 on the way
                (led / name).write_text(f"{times[name]}\n", encoding="ascii")
            self._missing.discard(led)
        except OSError as reason:
            if led not in self._missing:
                log.warning("lamp %s: %s", led.name, reason)
            self._missing.add(led)

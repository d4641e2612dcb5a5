"""How often somebody may guess a password."""

import time
from collections.abc import Callable
from typing import Final

from thirdring_device.gateway.api.error_map import RetryLater

__all__ = ["Throttle"]

FIRST_WAIT_S: Final = 30.0
LONGEST_WAIT_S: Final = 900.0
FORGET_S: Final = 3600.0
"""Without a further failure for so long, the count begins anew."""
MOST_KEYS: Final = 4096


class Throttle:
    """Counts failures by key; after ``free`` of them each further one doubles the wait."""

    def __init__(self, free: int, now_s: Callable[[], float] = time.monotonic) -> None:
        """``now_s`` is a clock that never goes back."""
        self._free = free
        self._now_s = now_s
        self._failures: dict[str, tuple[int, float]] = {}

    def check(self, key: str) -> None:
        """Raise ``RetryLater`` 6005 while ``key`` has to wait."""
        wait_s = self.wait_s(key)
        if wait_s > 0.0:
            raise RetryLater(6005, wait_s)

    def wait_s(self, key: str) -> float:
        """Return how long ``key`` still has to wait."""
        count, last_s = self._failures.get(key, (0, 0.0))
        if count < self._free:
            return 0.0
        pause_s = min(FIRST_WAIT_S * 2.0 ** min(count - self._free, 10), LONGEST_WAIT_S)
        return max(0.0, last_s + pause_s - self._now_s())

    def failed(self, key: str) -> None:
        """Count a failure."""
        now_s = self._now_s()
        self._failures = {
            name: entry for name, entry in self._failures.items() if now_s - entry[1] < FORGET_S
        }
        count, _ = self._failures.pop(key, (0, 0.0))
        if len(self._failures) >= MOST_KEYS:
            self._failures.pop(next(iter(self._failures)))
        self._failures[key] = (count + 1, now_s)

    def succeeded(self, key: str) -> None:
        """Forget the failures of ``key``."""
        self._failures.pop(key, None)

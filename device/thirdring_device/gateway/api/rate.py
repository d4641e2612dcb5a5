"""How many requests a client may send a second: a bucket of tokens for each address."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from thirdring_device.gateway.api.error_map import RetryLater

__all__ = ["RateLimit"]

MOST_CLIENTS: Final = 1024
"""The one that was longest away is forgotten for a new one: it has a full bucket by then or soon."""

BURST_S: Final = 2.0


class RateLimit:
    """Lets ``per_s`` requests a second through, and ``BURST_S`` seconds' worth at once."""

    def __init__(self, per_s: float, now_s: Callable[[], float] = time.monotonic) -> None:
        """``now_s`` is a clock that never goes back."""
        self._per_s = per_s
        self._burst = per_s * BURST_S
        self._now_s = now_s
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> None:
        """Count a request; raises ``RetryLater`` 7003 when it is one too many."""
        now_s = self._now_s()
        left, since_s = self._buckets.pop(client, (self._burst, now_s))
        left = min(self._burst, left + (now_s - since_s) * self._per_s)
        if len(self._buckets) >= MOST_CLIENTS:
            self._buckets.popitem(last=False)
        self._buckets[client] = (max(0.0, left - 1.0) if left >= 1.0 else left, now_s)
        if left < 1.0:
            raise RetryLater(7003, (1.0 - left) / self._per_s)

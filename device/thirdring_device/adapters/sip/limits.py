"""How many INVITEs one source may send, and how many were refused. Time is an argument."""

from collections import OrderedDict
from typing import Final

__all__ = ["RateLimit", "RefusalCounter"]

MAX_SOURCES: Final = 1024
"""Sources remembered; the one that was quiet longest is forgotten first."""

REPORT_INTERVAL_S: Final = 1.0
"""A flood makes one event a second, not one an INVITE: the journal must not be the target."""


class RateLimit:
    """A token bucket for every source: ``rate`` a second, as many at once."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._room = max(1.0, rate)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, source: str, now_s: float) -> bool:
        """Take a token of ``source``; return whether there was one."""
        tokens, then_s = self._buckets.pop(source, (self._room, now_s))
        tokens = min(self._room, tokens + (now_s - then_s) * self._rate)
        allowed = tokens >= 1.0
        self._buckets[source] = (tokens - 1.0 if allowed else tokens, now_s)
        if len(self._buckets) > MAX_SOURCES:
            self._buckets.popitem(last=False)
        return allowed


class RefusalCounter:
    """Counts every refused INVITE; ``report`` says when an event is due."""

    def __init__(self) -> None:
        self.count = 0
        self._source = ""
        self._reported = 0
        self._reported_at_s = float("-inf")

    def refused(self, source: str) -> None:
        """Count one INVITE from ``source``."""
        self.count += 1
        self._source = source

    def report(self, now_s: float) -> tuple[str, int] | None:
        """Return the latest source and the count since the start, when there is news to report."""
        if self._reported == self.count or now_s - self._reported_at_s < REPORT_INTERVAL_S:
            return None
        self._reported, self._reported_at_s = self.count, now_s
        return self._source, self.count

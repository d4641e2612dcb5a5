"""How regularly the bridge ticks, as a histogram that costs nothing to keep."""

from array import array
from typing import Any, Final

__all__ = ["TickHistogram"]

BIN_MS: Final = 0.1
BINS: Final = 2000
"""Intervals up to 200 ms are told apart; longer ones fall into the last bin and into ``max_ms``."""


class TickHistogram:
    """Intervals between ticks. ``tick`` belongs to one thread; ``read`` and ``reset`` to any."""

    def __init__(self) -> None:
        self._bins = array("Q", bytes(8 * BINS))
        self._last_s: float | None = None
        self._max_ms = 0.0
        self._reset = False

    def tick(self, now_s: float) -> None:
        """Note a tick at ``now_s``."""
        if self._reset:
            self._bins = array("Q", bytes(8 * BINS))
            self._last_s, self._max_ms, self._reset = None, 0.0, False
        if self._last_s is not None:
            interval_ms = (now_s - self._last_s) * 1000
            self._bins[min(BINS - 1, int(interval_ms / BIN_MS))] += 1
            self._max_ms = max(self._max_ms, interval_ms)
        self._last_s = now_s

    def reset(self) -> None:
        """Begin anew with the next tick."""
        self._reset = True

    def read(self) -> dict[str, Any]:
        """Return ``count``, ``p50_ms``, ``p99_ms``, ``p99_9_ms``, ``max_ms`` and ``bins_ms``.

        The percentiles are the upper edges of their bins; ``bins_ms`` has the bins that hold something,
        each its upper edge and how many it holds.
        """
        bins = array("Q", bytes(8 * BINS)) if self._reset else self._bins[:]
        count = sum(bins)
        largest_ms = 0.0 if self._reset else self._max_ms
        filled = [[round((index + 1) * BIN_MS, 1), number] for index, number in enumerate(bins) if number]
        result: dict[str, Any] = {"count": float(count), "max_ms": largest_ms, "bins_ms": filled}
        for name, share in (("p50_ms", 0.5), ("p99_ms", 0.99), ("p99_9_ms", 0.999)):
            seen, result[name] = 0, 0.0
            for index, number in enumerate(bins):
                seen += number
                if count and seen >= share * count:
                    result[name] = min((index + 1) * BIN_MS, largest_ms)
                    break
        return result

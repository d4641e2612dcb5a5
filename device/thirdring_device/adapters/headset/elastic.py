"""A buffer between two clocks that differ a little: it squeezes or stretches to stay as short as it can."""

import threading
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["ElasticBuffer"]

Samples = npt.NDArray[np.int16]

WINDOW_S: Final = 1.0
"""What is left after each ``take`` is watched for so long; the least of it is delay that could be saved."""
TOLERANCE: Final = 0.5
"""Share of the margin by which the least may differ before anything is done."""
MOST_GROWN: Final = 0.125
"""Share of the limit that the margin grows to at most."""
MARGIN_DECAY: Final = 0.1
"""Share of what the margin has grown by that is given back after each window."""
MOST_CHANGED: Final = 0.005
"""Share of a frame left out or made up at most: by so much its pitch changes, which nobody hears."""


class ElasticBuffer:
    """Samples put by one thread, taken by another.

    After every ``take`` at least ``margin`` samples are to be left, so that a late ``put`` does not show, and
    not many more; where that was not enough the margin grows, and shrinks again by and by. The two clocks'
    drift is made up for by linear interpolation within single frames; without drift samples pass unchanged.
    Above ``limit`` the oldest are dropped.
    """

    def __init__(self, rate_hz: int, margin: int, limit: int) -> None:
        self._lock = threading.Lock()
        self._window = int(WINDOW_S * rate_hz)
        self._wanted_margin, self._limit = margin, limit
        self._margin = margin
        self._data = np.zeros(limit, dtype=np.int16)
        self._count = 0
        self._flows = False
        self._watched = 0
        self._least = limit
        self._surplus = 0.0
        self._settled = False
        """Whether the first window is over: at the beginning threads are late that will not be again."""
        self.missing = 0
        """Samples that were not there in time since ``clear``, the beginning apart."""

    def clear(self) -> None:
        """Begin anew."""
        with self._lock:
            self._count, self._flows, self._surplus, self.missing = 0, False, 0.0, 0
            self._watched, self._least, self._settled = 0, self._limit, False
            self._margin = self._wanted_margin

    def put(self, samples: Samples) -> None:
        """Append samples, at most ``limit``."""
        with self._lock:
            dropped = self._count + len(samples) - self._limit
            if dropped > 0:
                self._data[: self._count - dropped] = self._data[dropped : self._count].copy()
                self._count -= dropped
            self._data[self._count : self._count + len(samples)] = samples
            self._count += len(samples)

    def take(self, out: Samples) -> int:
        """Fill ``out``; return how many samples were there, the rest of ``out`` is as it was."""
        with self._lock:
            wanted = len(out)
            if not self._flows:
                if self._count < wanted + self._margin:
                    return 0
                self._flows = True
                self._drop(self._count - wanted - self._margin)
            used = wanted + self._correction(wanted)
            if used > self._count:
                used = min(wanted, self._count)
            if used < wanted - wanted * MOST_CHANGED - 1:
                out[:used] = self._data[:used]
                given = used
                self.missing += wanted - used
                self._flows = used > 0
                if self._flows and self._settled:  # late, not gone
                    grown = self._margin + wanted - used
                    self._margin = min(grown, max(self._wanted_margin, int(MOST_GROWN * self._limit)))
                # What comes late makes the buffer longer by itself: watch anew.
                self._surplus, self._watched, self._least = 0.0, 0, self._limit
                self._drop(used)
                return given
            self._resample(out, used)
            given = wanted
            self._drop(used)
            self._watch(wanted)
            return given

    def _resample(self, out: Samples, used: int) -> None:
        if used == len(out):
            out[:] = self._data[:used]
        else:
            positions = np.linspace(0.0, used - 1.0, len(out))
            out[:] = np.rint(np.interp(positions, np.arange(used), self._data[:used]))

    def _correction(self, wanted: int) -> int:
        """Return how many samples more (or fewer) than ``wanted`` are to be used up."""
        most = max(1, int(wanted * MOST_CHANGED))
        step = int(min(max(self._surplus, -most), most))
        self._surplus -= step
        return step

    def _watch(self, taken: int) -> None:
        self._least = min(self._least, self._count)
        self._watched += taken
        if self._watched >= self._window:
            surplus = self._least - self._margin
            if surplus > self._limit // 4:  # after a standstill: one jump is better than a long delay
                self._drop(surplus)
                surplus = 0
            self._surplus = float(surplus) if abs(surplus) > TOLERANCE * self._wanted_margin else 0.0
            self._settled = True
            self._margin -= round(MARGIN_DECAY * (self._margin - self._wanted_margin))
            self._watched, self._least = 0, self._limit

    def _drop(self, count: int) -> None:
        self._data[: self._count - count] = self._data[count : self._count].copy()
        self._count -= count

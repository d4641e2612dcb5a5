"""Changes of the sampling rate, by numpy alone: importing scipy's takes as long as all else together."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["Resampler", "resample"]

Floats = npt.NDArray[np.float64]

ZERO_CROSSINGS: Final = 10
"""Length of the anti-aliasing filter on each side, in periods of the lower rate."""
KAISER_BETA: Final = 5.0
"""Stop band 53 dB down (F. J. Harris, "On the use of windows for harmonic analysis", 1978, section V.H)."""


def resample(samples: Floats, from_hz: int, to_hz: int) -> Floats:
    """Return a whole sound at another rate; one channel, ``ceil(samples * to_hz / from_hz)`` long."""
    if from_hz == to_hz:
        return samples
    resampler = Resampler(from_hz, to_hz)
    return np.concatenate((resampler.update(samples), resampler.finish()))


class Resampler:
    """Raises or lowers the sampling rate by a polyphase filter; the result does not depend on the cuts.

    Sample ``n`` of the output is the input at time ``n / to_hz``: the filter's delay is taken out. The
    whole output is ``ceil(samples * to_hz / from_hz)`` long.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        common = math.gcd(from_hz, to_hz)
        self._up, self._down = to_hz // common, from_hz // common
        widest = max(self._up, self._down)
        reach = ZERO_CROSSINGS * widest
        taps = _low_pass(reach, 1.0 / widest)
        # Zeros in front make the delay a whole number of output samples.
        self._delay = -(-reach // self._down)
        self._taps = np.concatenate((np.zeros(self._delay * self._down - reach), taps * self._up))
        span = -(-len(self._taps) // self._up)
        self._history = -(-span // self._down) * self._down
        self._kept = np.zeros(self._history)
        """Input from ``_origin`` on, ``_history`` samples of it already used."""
        self._skip = self._delay
        self._taken = self._given = 0

    def update(self, samples: Floats) -> Floats:
        """Return the output that ``samples`` complete; both of any length, one channel."""
        self._taken += len(samples)
        self._kept = np.concatenate((self._kept, samples))
        ready = (len(self._kept) - self._history) // self._down * self._down
        if ready == 0:
            return np.zeros(0)
        first = self._history // self._down * self._up
        count = ready // self._down * self._up
        whole = _filtered(self._taps, self._kept[: self._history + ready], self._up, self._down)
        fresh = whole[first : first + count]
        self._kept = self._kept[ready:]
        dropped = min(self._skip, len(fresh))
        self._skip -= dropped
        self._given += len(fresh) - dropped
        return np.asarray(fresh[dropped:], dtype=np.float64)

    def finish(self) -> Floats:
        """Return what is still in the filter."""
        missing = -(-self._taken * self._up // self._down) - self._given
        taken, given = self._taken, self._given
        rest = self.update(np.zeros(self._history + 2 * self._down))
        while len(rest) < missing:
            rest = np.concatenate((rest, self.update(np.zeros(self._history + self._down))))
        self._taken, self._given = taken, given + missing
        return rest[:missing]


def _low_pass(reach: int, cutoff: float) -> Floats:
    """Return a windowed-sinc low pass of ``2 * reach + 1`` taps; ``cutoff``: in half sampling rates."""
    at = np.arange(-reach, reach + 1)
    taps = np.sinc(cutoff * at) * np.kaiser(len(at), KAISER_BETA)
    return np.asarray(taps / taps.sum(), dtype=np.float64)


def _filtered(taps: Floats, samples: Floats, up: int, down: int) -> Floats:
    """Return ``samples`` with ``up - 1`` zeros after each, filtered, and of that every ``down``-th.

    ``up`` and ``down`` have no common divisor: outputs ``up`` apart see the same taps, and none the zeros.
    """
    count = -(-((len(samples) - 1) * up + len(taps)) // down)
    width = -(-len(taps) // up)
    phases = np.zeros((up, width))
    for phase in range(up):
        column = taps[phase::up]
        phases[phase, width - len(column) :] = column[::-1]
    behind = (count * down) // up + 1 - len(samples)
    padded = np.concatenate((np.zeros(width - 1), samples, np.zeros(max(behind, 0))))
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)
    result = np.empty(count)
    for first in range(min(up, count)):
        place = first * down
        rows = len(range(first, count, up))
        seen = windows[place // up :: down][:rows]
        total = np.zeros(rows)
        for tap, weight in enumerate(phases[place % up]):  # in this order however the sound is cut
            total += seen[:, tap] * weight
        result[first::up] = total
    return result

"""ITU-T P.56 (12/2011) method B on a whole recording: the exact result, slowly.

The oracle of the streaming meter; written from the Recommendation. The one liberty is that the
active level is interpolated exactly instead of to within 0.5 dB.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

__all__ = ["MARGIN_DB", "SpeechLevel", "envelope", "speech_level"]

TIME_CONSTANT_S = 0.03
HANGOVER_S = 0.2
MARGIN_DB = 15.9
THRESHOLDS = 2.0 ** np.arange(15)
FULL_SCALE = 32768.0


class SpeechLevel(NamedTuple):
    """Result of the measurement; levels in dBov, ``-inf`` for none."""

    active_dbov: float
    long_term_dbov: float
    activity_percent: float


def envelope(samples: npt.NDArray[np.int16], sample_rate_hz: int) -> npt.NDArray[np.float64]:
    """Return the twice smoothed magnitude q_i of P.56, in int16 units, shape as given."""
    gain = np.exp(-1.0 / (sample_rate_hz * TIME_CONSTANT_S))
    once = lfilter([1.0 - gain], [1.0, -gain], np.abs(samples.astype(np.float64)))
    return np.asarray(lfilter([1.0 - gain], [1.0, -gain], once), dtype=np.float64)


def active_samples(above: npt.NDArray[np.bool_], hangover: int) -> int:
    """Return how many samples are above a threshold or within the hangover after."""
    last = np.where(above, np.arange(above.size), -hangover - 1)
    return int(np.count_nonzero(np.arange(above.size) - np.maximum.accumulate(last) <= hangover))


def level_db(power: float) -> float:
    """Return 10 log10, ``-inf`` for 0."""
    return float(10.0 * np.log10(power)) if power > 0.0 else float("-inf")


def speech_level(samples: npt.NDArray[np.int16], sample_rate_hz: int) -> SpeechLevel:
    """Measure a recording, shape (n,).

    Returns ``-inf`` and 0 % when no threshold lies 15.9 dB or more below the active level.
    """
    energy = float(np.sum(samples.astype(np.float64) ** 2)) / FULL_SCALE**2
    if energy == 0.0:
        return SpeechLevel(float("-inf"), float("-inf"), 0.0)
    smooth = envelope(samples, sample_rate_hz)
    hangover = int(HANGOVER_S * sample_rate_hz + 0.5)
    long_term_dbov = level_db(energy / samples.size)
    before: tuple[float, float] | None = None
    active_dbov = float("-inf")
    for threshold in THRESHOLDS:
        count = active_samples(smooth >= threshold, hangover)
        if count == 0:
            active_dbov = before[0] if before else active_dbov
            break
        level = level_db(energy / count)
        margin = level - 20.0 * float(np.log10(threshold / FULL_SCALE))
        if margin <= MARGIN_DB:
            if before is not None:
                share = (before[1] - MARGIN_DB) / (before[1] - margin)
                active_dbov = before[0] + share * (level - before[0])
            break
        before = (level, margin)
    else:
        active_dbov = before[0] if before else active_dbov
    activity = 100.0 * 10.0 ** ((long_term_dbov - active_dbov) / 10.0)
    return SpeechLevel(active_dbov, long_term_dbov, activity if np.isfinite(active_dbov) else 0.0)

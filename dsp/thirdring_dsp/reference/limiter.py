"""The acoustic limiter over a whole recording at once: slow, with neither rings nor shortcuts.

The gain a sample allows is the ceiling over its magnitude. The held gain is the least that the samples of the
look-ahead allow, and rises with the release. Averaged over the look-ahead it has fallen when the loud sample
comes out. Gains are integers of 2**-30, as in ``AcousticLimiter``, so that the two agree to the sample.
"""

import math

import numpy as np
import numpy.typing as npt

__all__ = ["limited"]

UNITY = 1 << 30
RELEASE_S = 0.1


def limited(
    samples: npt.NDArray[np.int16],
    sample_rate_hz: int,
    ceiling_dbov: float = -6.0,
    look_ahead_s: float = 0.001,
) -> npt.NDArray[np.int16]:
    """Return what ``AcousticLimiter`` gives for int16 samples, shape (n,): as many, delayed."""
    delay = int(look_ahead_s * sample_rate_hz + 0.5)
    ceiling = min(math.floor(32768.0 * 10.0 ** (ceiling_dbov / 20.0)), 32767)
    release = int((1.0 - math.exp(-1.0 / (RELEASE_S * sample_rate_hz))) * 65536.0) + 1
    values = [0] * delay + [int(value) for value in samples]
    allowed = [min(UNITY, ceiling * UNITY // max(abs(value), 1)) for value in values]
    held = [UNITY] * delay
    for n in range(delay, len(values)):
        gain = held[-1] + ((UNITY - held[-1]) * release >> 16) + 1 if held else UNITY
        if UNITY - gain < UNITY >> 7:
            gain = UNITY
        held.append(min([gain, *allowed[n - delay : n + 1]]))
    held = [UNITY] * delay + held
    out = []
    for n in range(samples.size):
        mean = sum(held[n + delay : n + 2 * delay + 1]) / (UNITY * (delay + 1))
        out.append(int(values[n] * mean))
    return np.array(out, np.int16)

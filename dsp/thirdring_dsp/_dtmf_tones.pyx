"""The tones of DTMF and the filters that hear them, designed when the module is loaded."""

from libc.stdint cimport int16_t
from cpython.mem cimport PyMem_Malloc

import numpy as np

HOP_S = HOP / 8000.0
LOW_HZ[:] = [697.0, 770.0, 852.0, 941.0]
HIGH_HZ[:] = [1209.0, 1336.0, 1477.0, 1633.0]
LOW_CENTRE_HZ = 823.5
HIGH_CENTRE_HZ = 1428.5
HIGH_PASS_GAIN = 16384.0

# On a 16-byte boundary, for the processor's vector loads; kept for the life of the process.
COEFFICIENTS = <int16_t*>PyMem_Malloc(4 * TAPS * sizeof(int16_t) + 16)
COEFFICIENTS += (16 - (<size_t>COEFFICIENTS & 15)) // 2


cdef int _design() except -1:
    """Fill the coefficients: Kaiser-windowed low-pass filters moved up to the middle of the bands."""
    cdef int row, tap
    x = np.arange(TAPS) - (TAPS - 1) / 2
    for row, centre_hz, cutoff_hz, scale in (
        (0, LOW_CENTRE_HZ, 250.0, 60000.0), (2, HIGH_CENTRE_HZ, 365.0, 60000.0)
    ):
        prototype = np.kaiser(TAPS, 2.6) * np.sinc(2 * cutoff_hz / 8000 * x)
        prototype *= scale / prototype.sum()
        turn = 2 * np.pi * centre_hz / 8000 * x
        rows = np.rint(np.stack([prototype * np.cos(turn), -prototype * np.sin(turn)]))
        for tap in range(TAPS):
            COEFFICIENTS[row * TAPS + tap] = <int16_t>int(rows[0, tap])
            COEFFICIENTS[(row + 1) * TAPS + tap] = <int16_t>int(rows[1, tap])
        for i in range(4):
            hz = LOW_HZ[i] if row == 0 else HIGH_HZ[i]
            tone = 2 * np.pi * hz / 8000 * x
            gain = ((rows[0] * np.cos(tone)).sum() - (rows[1] * np.sin(tone)).sum()) / 65536.0
            # A tone of peak A has the power A**2 / 2 and an envelope of A * gain / 2.
            if row == 0:
                LOW_TO_TONE_POWER[i] = 2.0 / gain ** 2
            else:
                HIGH_TO_TONE_POWER[i] = 2.0 / gain ** 2
    # The odd one: 79 taps and a zero, so that it is a delay of 40 minus a low-pass.
    x = np.arange(TAPS) - TAPS / 2
    prototype = np.kaiser(TAPS + 1, 2.6)[:TAPS] * np.sinc(2 * 570.0 / 8000 * x)
    prototype[0] = 0.0
    prototype *= -HIGH_PASS_GAIN / prototype.sum()
    for tap in range(TAPS):
        HIGH_PASS[tap] = <int16_t>int(np.rint(prototype[tap] + (HIGH_PASS_GAIN if tap == TAPS // 2 else 0)))
    return 0

_design()

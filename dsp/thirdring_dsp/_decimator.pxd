"""Bring 16 or 48 kHz down to the 8 kHz that the tone detectors work at (inlined, no state of its own).

The low-pass passes the tones (to 2.4 kHz within 0.1 dB) and stops what would fold onto them.
"""

from libc.math cimport M_PI, cos, rint, sin
from libc.stdint cimport int16_t, int32_t
from libc.string cimport memcpy, memmove, memset

cdef extern from "thirdring_dsp/_filter_bank.h" nogil:
    int32_t filter_one(const int16_t* window, const int16_t* row, int taps)
    void decimate_4(const int16_t* window, const int16_t* row, int taps, int step, int16_t* out)

cdef enum:
    DECIMATOR_INPUT_MAX = 768     # most input samples a call may bring

cdef struct Decimator:
    int factor
    int taps
    int held                      # samples waiting in ``work``
    int16_t coefficients[48]
    int16_t work[832]             # what earlier calls left, then this call's input

cdef inline void decimator_init(Decimator* d, int factor) noexcept nogil:
    """Design a Hann-windowed low-pass at 3.9 kHz with a gain of 2**15."""
    cdef int i
    cdef double x, total = 0.0
    cdef double prototype[48]
    memset(d, 0, sizeof(Decimator))
    d.factor = factor
    d.taps = 16 if factor == 2 else 48
    d.held = d.taps - factor      # silence before the first sample
    for i in range(d.taps):
        x = i - (d.taps - 1) / 2.0
        prototype[i] = 0.5 + 0.5 * cos(2.0 * M_PI * x / (d.taps + 1))
        if x != 0.0:
            prototype[i] *= sin(2.0 * M_PI * 3900.0 / (8000.0 * factor) * x) / x
        total += prototype[i]
    for i in range(d.taps):
        d.coefficients[i] = <int16_t>rint(32767.0 * prototype[i] / total)

cdef inline int decimator_run(
    Decimator* d, const int16_t* block, int count, int16_t* out
) noexcept nogil:
    """Write the 8 kHz samples that ``count`` input samples complete; return how many."""
    cdef int at = 0, written = 0
    cdef int32_t total
    memcpy(d.work + d.held, block, count * sizeof(int16_t))
    d.held += count
    # Four outputs at a time, with the lengths as constants for the compiler; then one by one, which
    # gives the same numbers, so that nothing depends on how the stream is cut.
    if d.factor == 2:
        while d.held - at >= 16 + 3 * 2:
            decimate_4(d.work + at, d.coefficients, 16, 2, out + written)
            written += 4
            at += 4 * 2
    else:
        while d.held - at >= 48 + 3 * 6:
            decimate_4(d.work + at, d.coefficients, 48, 6, out + written)
            written += 4
            at += 4 * 6
    while d.held - at >= d.taps:
        total = (filter_one(d.work + at, d.coefficients, d.taps) + (1 << 14)) >> 15
        out[written] = <int16_t>(32767 if total > 32767 else (-32768 if total < -32768 else total))
        written += 1
        at += d.factor
    d.held -= at
    memmove(d.work, d.work + at, d.held * sizeof(int16_t))
    return written

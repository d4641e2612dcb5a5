# cython: language_level=3
"""Bring 8, 16 or 48 kHz to 8 kHz: a Kaiser low-pass, computed once, and every n-th sample of it."""

from libc.math cimport M_PI, sin, sqrt
from libc.string cimport memset

cdef double CUTOFF_HZ = 3800.0  # telephone speech ends at 3400; 70 dB down from 4350 on
cdef double KAISER_BETA = 6.8


cdef double bessel_i0(double x) noexcept nogil:
    cdef double total = 1.0, term = 1.0
    cdef int k
    for k in range(1, 40):
        term *= (x / (2 * k)) * (x / (2 * k))
        total += term
    return total


cdef void narrowband_init(Narrowband* self, int sample_rate_hz) noexcept nogil:
    """Design the filter for one of the supported rates."""
    cdef int i
    cdef double middle, t, value, total = 0.0
    self.factor = sample_rate_hz // 8000
    self.taps = 0 if self.factor == 1 else 32 * self.factor
    middle = (self.taps - 1) / 2.0
    for i in range(self.taps):
        t = (i - middle) / middle
        value = sin(2 * M_PI * CUTOFF_HZ / sample_rate_hz * (i - middle)) / (M_PI * (i - middle))
        value *= bessel_i0(KAISER_BETA * sqrt(1 - t * t))
        self.filter[i] = <float>value
        total += value
    for i in range(self.taps):
        self.filter[i] = <float>(self.filter[i] / total)
    narrowband_reset(self)


cdef void narrowband_reset(Narrowband* self) noexcept nogil:
    memset(self.history, 0, sizeof(self.history))
    self.position = 0
    self.phase = 0


cdef double narrowband_delay_s(const Narrowband* self) noexcept nogil:
    """Return how much later than its input the output is."""
    return (self.taps - 1) / 2.0 / (8000.0 * self.factor) if self.taps else 0.0


cdef int narrowband_run(
    Narrowband* self, const short* samples, Py_ssize_t count, float* out, int room,
    Py_ssize_t* used,
) noexcept nogil:
    """Turn samples into at most ``room`` samples at 8 kHz; ``used`` says how many were taken."""
    cdef Py_ssize_t i = 0
    cdef int made = 0, j, k
    cdef float[8] sums
    cdef const float* window
    if self.factor == 1:
        made = room if count > room else <int>count
        for j in range(made):
            out[j] = samples[j]
        used[0] = made
        return made
    while i < count and made < room:
        self.history[self.position] = self.history[self.position + self.taps] = samples[i]
        self.position += 1
        if self.position == self.taps:
            self.position = 0
        i += 1
        self.phase += 1
        if self.phase == self.factor:
            self.phase = 0
            window = self.history + self.position
            for k in range(8):
                sums[k] = 0
            for j in range(0, self.taps, 8):
                for k in range(8):
                    sums[k] += self.filter[j + k] * window[j + k]
            out[made] = ((sums[0] + sums[4]) + (sums[1] + sums[5])) + (
                (sums[2] + sums[6]) + (sums[3] + sums[7]))
            made += 1
    used[0] = i
    return made

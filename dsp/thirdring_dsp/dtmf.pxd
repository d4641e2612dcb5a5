from libc.stdint cimport int16_t, int64_t

from thirdring_dsp._decimator cimport Decimator
from thirdring_dsp._detector_event cimport DetectorEvents

cdef enum:
    DTMF_START = 1
    DTMF_DIGIT = 2

cdef class DtmfDetector:
    cdef readonly int sample_rate_hz
    cdef Decimator decimator
    cdef DetectorEvents events
    # Samples at 8 kHz, oldest first; the next window ends at next_end.
    cdef int16_t samples[2048]
    cdef int fill
    cdef int next_end
    cdef int64_t hop                  # number of the next hop
    # The last 64 hops of both bands: complex envelope and its power.
    cdef float low_re[64]
    cdef float low_im[64]
    cdef float low_power[64]
    cdef float high_re[64]
    cdef float high_im[64]
    cdef float high_power[64]
    # Smoothed products of neighbouring hops, and the power that they would have were they in phase.
    cdef float low_lag_re, low_lag_im, low_energy
    cdef float high_lag_re, high_lag_im, high_energy
    # The candidate: a run of hops of one steady tone a band.
    cdef int run_good                 # hops in it that were good
    cdef int run_gap                  # hops since the last good one
    cdef int64_t run_start
    cdef float run_low_re, run_low_im, run_high_re, run_high_im
    # The digit being heard.
    cdef int key                      # 0: none
    cdef int64_t digit_first
    cdef int64_t digit_last
    cdef float digit_low_power, digit_high_power      # of the envelopes
    cdef float digit_low_re, digit_low_im             # phase step a hop, as a unit vector
    cdef float digit_high_re, digit_high_im
    cdef float digit_power                            # of both tones, in samples squared

    cdef Py_ssize_t feed(self, const int16_t* block, Py_ssize_t count) noexcept nogil
    cdef void feed_8k(self, const int16_t* block, int count) noexcept nogil
    cdef void clear(self) noexcept nogil
    cdef void take_hop(self) noexcept nogil
    cdef bint judge(self, int64_t now) noexcept nogil
    cdef void follow_digit(self, int64_t now, float low, float high) noexcept nogil
    cdef float power_over(self, int64_t first, int64_t last) noexcept nogil
    cdef void emit(self, int kind) noexcept nogil

from libc.stdint cimport int64_t, uint64_t

from thirdring_dsp._p56 cimport THRESHOLDS
from thirdring_dsp._bases cimport Meter
from thirdring_dsp._segments cimport SegmentTracker

cdef enum:
    MOMENTARY_MAX = 4800  # 100 ms at 48 kHz


cdef class SpeechLevelMeter(Meter):
    cdef readonly double window_s
    cdef int clip_level
    cdef double gain, rest
    cdef int64_t hangover
    # envelope and its threshold crossings
    cdef double p, q, low, high
    cdef int octave
    cdef int64_t counts[THRESHOLDS]
    cdef int64_t since[THRESHOLDS]
    # totals
    cdef int64_t samples, total, clipped
    cdef uint64_t energy
    cdef int least, greatest
    # the segment being filled
    cdef SegmentTracker tracker
    cdef int segment_fill
    cdef uint64_t segment_abs, segment_energy
    # the last 100 ms
    cdef short recent[MOMENTARY_MAX]
    cdef int recent_size, recent_at

    cdef void _piece(self, const short* samples, int count) noexcept nogil
    cdef void _cross(self, double envelope, int64_t at) noexcept nogil
    cdef double _active_mean_square(self) noexcept nogil

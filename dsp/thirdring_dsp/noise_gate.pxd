from libc.stdint cimport uint64_t

from thirdring_dsp._bases cimport Processor
from thirdring_dsp._segments cimport SegmentTracker

cdef enum:
    DELAY_MAX = 960  # 20 ms at 48 kHz


cdef class NoiseGate(Processor):
    cdef readonly double attenuation_db
    cdef readonly int delay_samples
    cdef SegmentTracker tracker
    cdef int fill, quarter_samples
    cdef uint64_t segment_abs, segment_energy, quarter_energy
    cdef double gain, gain_step
    cdef short delayed[DELAY_MAX]
    cdef int delayed_at

    cdef void _piece(self, const short* samples, short* out, int count) noexcept nogil
    cdef void _ramp(self) noexcept nogil

from libc.stdint cimport uint64_t

from thirdring_dsp._bases cimport Meter
from thirdring_dsp._segments cimport SegmentTracker


cdef class NoiseMeter(Meter):
    cdef readonly double window_s
    cdef SegmentTracker tracker
    cdef int fill
    cdef uint64_t segment_abs, segment_energy

    cdef double _speech(self) noexcept nogil

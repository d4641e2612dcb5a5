from libc.stdint cimport uint64_t

from thirdring_dsp._segments cimport SegmentTracker


cdef class NoiseMeter:
    cdef readonly int sample_rate_hz
    cdef readonly double window_s
    cdef SegmentTracker tracker
    cdef int fill
    cdef uint64_t segment_abs, segment_energy

    cdef void feed(self, const short* samples, Py_ssize_t count) noexcept nogil
    cdef void clear(self) noexcept nogil
    cdef double _speech(self) noexcept nogil

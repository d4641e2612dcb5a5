"""What the public classes have in common."""

from libc.stdint cimport int16_t

from thirdring_dsp._decimator cimport Decimator
from thirdring_dsp._detector_event cimport DetectorEvent, DetectorEvents

cdef class Sampled:
    cdef readonly int sample_rate_hz

    cdef void clear(self) noexcept nogil

cdef class Detector(Sampled):
    cdef Decimator decimator
    cdef DetectorEvents events

    cdef Py_ssize_t feed(self, const int16_t* block, Py_ssize_t count) noexcept nogil
    cdef object told(self, const DetectorEvent* event)
    cdef void hear(self, const int16_t* block, Py_ssize_t count, list found)
    cdef void clear_input(self) noexcept nogil

cdef class Meter(Sampled):
    cdef void feed(self, const short* samples, Py_ssize_t count) noexcept nogil

cdef class Processor(Sampled):
    cdef void feed(self, const short* samples, short* out, Py_ssize_t count) noexcept nogil

cdef object dsp_event(kind, value, const DetectorEvent* event)

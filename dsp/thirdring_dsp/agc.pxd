from libc.stdint cimport int64_t, uint64_t

from thirdring_dsp._bases cimport Processor
from thirdring_dsp._segments cimport SegmentTracker


cdef class AutomaticGainControl(Processor):
    cdef readonly double target_dbov, max_gain_db, min_gain_db, max_noise_gain_db
    cdef SegmentTracker tracker
    cdef int fill, quarter_samples
    cdef uint64_t segment_abs, segment_energy, quarter_energy
    # decibels: the speech gain, and what pauses take away from it
    cdef double before_fall  # level before the speech fell, until the fall is believed
    cdef double speech_gain_db, wanted_gain_db, pause_db
    cdef int64_t voiced_segments, changed_at
    # the ramp of the running quarter of a segment
    cdef double gain, gain_step
    # instantaneous protection against overload
    cdef double guard, guard_release

    cdef void _piece(self, const short* samples, short* out, int count) noexcept nogil
    cdef void _decide(self) noexcept nogil
    cdef void _ramp(self) noexcept nogil
    cdef void _measure(self) noexcept nogil

from libc.stdint cimport int16_t, int32_t, int64_t

from thirdring_dsp._bases cimport Detector

cdef enum:
    RING_START = 1
    RING = 2
    RING_CADENCE = 3
    RINGING_END = 4

cdef class RingingSignalDetector(Detector):
    cdef readonly double level_min_dbov
    cdef float power_min
    cdef int16_t samples[1024]        # at 8 kHz, oldest first
    cdef int fill
    cdef int next_end
    cdef int64_t hop
    # The last 64 hops: the line without what is above 100 Hz; sum and power of its samples.
    cdef float slow[64]
    cdef float means[64]
    cdef float powers[64]
    # The ring being heard.
    cdef bint ringing
    cdef int64_t ring_first
    cdef int64_t ring_last
    cdef float ring_power
    cdef float frequency_hz
    cdef double frequency_sum
    cdef int frequency_count
    # Rings since the line was last quiet for long: durations on and off, newest last.
    cdef int rings
    cdef double first_start_s
    cdef double last_end_s
    cdef double on_s[8]
    cdef double off_s[8]
    cdef int cadence_said             # pairs of on and off in it; 0: none yet

    cdef void feed_8k(self, const int16_t* block, int count) noexcept nogil
    cdef void take_hop(self) noexcept nogil
    cdef float power_of(self, int hops) noexcept nogil
    cdef bint looks_like_ringing(self) noexcept nogil
    cdef void begin_ring(self) noexcept nogil
    cdef void end_ring(self) noexcept nogil
    cdef void judge_cadence(self) noexcept nogil
    cdef void emit(self, int kind, double start_s, double end_s) noexcept nogil

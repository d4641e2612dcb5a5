# Speech apart from background in segments of 10 ms, and the level of the recent speech.
from libc.stdint cimport int64_t, uint8_t, uint64_t

cdef enum:
    SEGMENTS_PER_S = 100
    RING = 2048  # remembered speech segments, 20 s
    BLOCK_SEGMENTS = 10  # the noise floor works in blocks of 100 ms
    FLOOR_BLOCKS = 50  # it is the minimum over 5 s
    STEADY_BLOCKS = 12  # 1.2 s without modulation is not speech,
    EVEN_BLOCKS = 30  # nor 3 s with the modulation of noise in a narrow band
    GLANCES = 4  # quarters of a segment, in which a loud onset is noticed


cdef class SegmentTracker:
    cdef int segment_samples
    # P.56 envelope at the segment rate
    cdef double p, q
    cdef int64_t reached[16]
    cdef int64_t segments
    # background
    cdef double fast, smooth
    cdef double block_minimum, block_sum, block_squares
    cdef int block_segments
    cdef double minima[FLOOR_BLOCKS]
    cdef double means[EVEN_BLOCKS]
    cdef double squares[EVEN_BLOCKS]  # means of the segments' squared powers
    cdef int64_t blocks
    cdef double floor_power
    cdef double noise
    cdef int64_t noise_segments
    # decision
    cdef bint voiced
    cdef bint active
    cdef int64_t last_voiced
    cdef int64_t speech_segments
    # how far a gate should be open for the signal now, 0 to 1
    cdef double openness
    cdef double reference  # level of the speech if known, 0 else
    cdef int hold
    # remembered speech
    cdef int64_t walked
    cdef uint64_t walked_peak  # largest energy of a segment there
    cdef uint64_t energies[RING]
    cdef uint8_t octaves[RING]

    cdef void clear(self) noexcept nogil
    cdef void push(self, uint64_t sum_abs, uint64_t energy) noexcept nogil
    cdef double speech_mean_square(self, int wanted_segments, int64_t since) noexcept nogil
    cdef void glance(self, uint64_t energy, int count) noexcept nogil
    cdef void _open(self) noexcept nogil
    cdef bint settled(self) noexcept nogil
    cdef double background(self) noexcept nogil
    cdef double noise_power(self) noexcept nogil
    cdef double lowest_mean(self, int64_t segments) noexcept nogil
    cdef void _end_block(self) noexcept nogil
    cdef double _steady(self, int blocks, double most_modulation) noexcept nogil

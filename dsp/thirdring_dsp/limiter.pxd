from libc.stdint cimport int64_t

from thirdring_dsp._bases cimport Processor

cdef enum:
    LOOK_AHEAD_MAX = 256  # a power of two above 5 ms at 48 kHz


cdef class AcousticLimiter(Processor):
    cdef readonly double ceiling_dbov
    cdef readonly int delay_samples
    cdef int ceiling
    cdef int64_t release
    # rings, indexed by the sample number modulo their size
    cdef short delayed[LOOK_AHEAD_MAX]
    cdef int64_t allowed[LOOK_AHEAD_MAX]  # candidates of the running minimum, ascending
    cdef int64_t allowed_at[LOOK_AHEAD_MAX]
    cdef int64_t head, tail
    cdef int64_t held[LOOK_AHEAD_MAX]
    cdef int64_t held_sum, hold
    cdef int64_t samples, limited, last_over

    cdef bint _pass(self, const short* samples, short* out, int count) noexcept nogil
    cdef short _limit(self, short sample) noexcept nogil

from libc.stdint cimport int16_t, int64_t, uint64_t

from thirdring_dsp._bases cimport Detector
from thirdring_dsp._dtmf_fit cimport Segments

cdef enum:
    DTMF_START = 1
    DTMF_DIGIT = 2

cdef class DtmfDetector(Detector):
    # Samples at 8 kHz, oldest first; the next window ends at next_end.
    cdef int16_t samples[4096]
    cdef int fill
    cdef int next_end
    cdef int64_t hop                  # number of the next hop
    # The last 64 hops: low band real and imaginary, high band real and imaginary.
    cdef float bands[64][4]
    cdef float powers[64][2]          # of the low band, of the high band
    cdef uint64_t left_out            # bits: hops that have not been filtered
    # The candidate: a run of hops of one steady tone a band.
    cdef int run_good                 # pairs of hops in it that were good
    cdef int run_gap                  # pairs since the last good one
    cdef int run_turned               # pairs since the last good one that were of other tones
    cdef int64_t run_start
    # Its phase steps, summed.
    cdef float run_low_re, run_low_im, run_high_re, run_high_im
    # The digit being heard.
    cdef int key                      # 0: none
    cdef int64_t digit_first
    cdef int64_t digit_last
    cdef float digit_low_on, digit_high_on            # envelope power above which it sounds
    cdef float digit_low_re, digit_low_im             # phase step a hop, as a unit vector
    cdef float digit_high_re, digit_high_im
    cdef float digit_low_turn_re, digit_low_turn_im   # the same for two hops
    cdef float digit_high_turn_re, digit_high_turn_im
    cdef float digit_dbov                             # of both tones

    cdef void feed_8k(self, const int16_t* block, int count) noexcept nogil
    cdef void take_pair(self) noexcept nogil
    cdef bint judge(self, int64_t now) noexcept nogil
    cdef bint digit_goes_on(
        self, const float* a, const float* c, float low_energy, float high_energy
    ) noexcept nogil
    cdef void fill_in(self, int64_t first, int64_t now) noexcept nogil
    cdef void miss_pair(self) noexcept nogil
    cdef float power_inside(
        self, int64_t first, int64_t now, const Segments* inside, bint above_dial_tone
    ) noexcept nogil
    cdef bint low_end_is_steady(self, int64_t now) noexcept nogil
    cdef float low_end_power(self, int64_t first, int64_t last, int64_t now) noexcept nogil
    cdef void emit(self, int kind) noexcept nogil

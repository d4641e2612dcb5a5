from libc.stdint cimport int16_t, int64_t

from thirdring_dsp._bases cimport Detector

cdef enum:
    FAX_CNG = 1
    FAX_CED = 2
    FAX_CED_PHASE_REVERSAL = 3
    FAX_CED_END = 4

cdef struct ToneRun:
    int heard                     # hops with the tone; 0: no run
    int64_t first
    int64_t last
    float re, im                  # envelope at the last of them
    float step_re, step_im        # its turns a hop, summed
    double power                  # sum of the tone's power

cdef class FaxToneDetector(Detector):
    cdef int16_t samples[1024]    # at 8 kHz, oldest first
    cdef int fill
    cdef int next_end             # where the next hop's window ends
    cdef int64_t hop
    cdef float energies[2]        # of the last two hops' samples
    cdef ToneRun cng
    cdef ToneRun ced
    # CED: its envelope against the 15 Hz of ANSam, and what has been said of it.
    cdef double amplitude, modulation_re, modulation_im
    cdef bint ced_said
    cdef bint modulated
    cdef int reversals
    cdef double first_reversal_s

    cdef void feed_8k(self, const int16_t* block, int count) noexcept nogil
    cdef void take_hop(self) noexcept nogil
    cdef void hear_ced(self, float re, float im, float power) noexcept nogil
    cdef void end_ced(self) noexcept nogil
    cdef void end_cng(self) noexcept nogil
    cdef void emit(self, int kind, int value, double start_s, double end_s, double power) noexcept nogil

from thirdring_dsp.narrowband cimport Narrowband
from thirdring_dsp.spectrum cimport BINS, FRAME, HALF

cdef enum:
    BANDS = 13
    INPUTS = 40    # 37 in use, filled up to a multiple of four
    UNITS = 20
    MARKS = 64     # half hops of summed energy kept, 0.5 s

cdef enum TalkMarkKind:
    MARK_NONE = 0
    MARK_START = 1
    MARK_END = 2

cdef struct TalkMark:
    TalkMarkKind kind
    double start_s
    double end_s
    double level_dbov

cdef class VoiceActivityDetector:
    cdef Narrowband narrowband
    cdef readonly int sample_rate_hz
    cdef double delay_s
    # the frame being filled, at 8 kHz
    cdef float[FRAME] frame
    cdef int filled
    cdef long long frames
    # what the features remember
    cdef float[BANDS] floor
    cdef float floor_total, loudest
    cdef float[3][BINS] fine
    cdef float[3][3] fine_power
    cdef float last_total
    # the network
    cdef float[INPUTS] inputs
    cdef float[UNITS] hidden
    cdef float speech_logit
    # the decision
    cdef double[MARKS] energy
    cdef double energy_total, energy_at_onset
    cdef float evidence
    cdef long long onset, last_speech, decided
    cdef bint talking
    cdef Py_ssize_t advance(
        self, const short* samples, Py_ssize_t count, TalkMark* mark) noexcept nogil
    cdef double seconds(self, long long half_hops) noexcept nogil
    cdef void _features(self) noexcept nogil
    cdef void _network(self) noexcept nogil
    cdef void _decide(self, TalkMark* mark) noexcept nogil
    cdef void _clear(self) noexcept nogil

from thirdring_dsp.vad cimport TalkMark, VoiceActivityDetector

cdef enum:
    TALK_EVENTS_MOST = 8  # of one hop

cdef enum TalkEventKind:
    TALK_SPURT_START = 0
    TALK_SPURT = 1
    TALK_OVERLAP = 2
    TALK_INTERRUPTION = 3
    TALK_DEAD_AIR = 4
    TALK_DEAD_AIR_ENDED = 5

cdef enum:  # sides
    SIDE_AGENT = 0
    SIDE_CUSTOMER = 1
    SIDE_NONE = 2

cdef struct TalkEvent:
    TalkEventKind kind
    int side
    double start_s
    double end_s
    double level_dbov

cdef struct TalkEvents:
    int count
    TalkEvent[TALK_EVENTS_MOST] events

cdef struct Spurt:
    bint going_on
    double start_s
    double end_s          # of the last one when none is going on

cdef class TalkAnalyzer:
    cdef readonly VoiceActivityDetector agent, customer
    cdef readonly double dead_air_s, overlap_least_s
    cdef TalkMark of_agent, of_customer  # of the last step
    cdef Spurt[2] spurts
    cdef bint interruption_told, dead_air_told
    cdef double silent_since_s
    cdef Py_ssize_t advance(
        self, const short* agent, const short* customer, Py_ssize_t count, TalkEvents* out
    ) noexcept nogil
    cdef void _mark(self, int side, const TalkMark* mark, TalkEvents* out) noexcept nogil
    cdef void _interruption(self, TalkEvents* out) noexcept nogil
    cdef void _dead_air(self, TalkEvents* out) noexcept nogil

cdef object talk_event(const TalkEvent* event)

from thirdring_dsp.vad cimport TalkMark, VoiceActivityDetector

cdef enum:
    SYLLABLE_UNITS = 16
    SETTLED = 32             # hops kept until it is certain whether they were talk
    WINDOW_MOST = 3750       # hops: 60 s

cdef class SyllableRateMeter:
    cdef VoiceActivityDetector own      # what `update` drives; idle when `hop` is driven
    cdef readonly double window_s
    cdef int window_hops
    cdef float[SYLLABLE_UNITS] hidden
    cdef float[SETTLED] density         # syllables a hop
    cdef bint[SETTLED] talk
    cdef bint talking
    cdef long long hops, settled
    # totals, and the same within the window; talk in hops
    cdef double total, recent
    cdef long long total_talk, recent_talk
    cdef float[WINDOW_MOST] window      # negative where nobody talked
    cdef void hop(self, VoiceActivityDetector vad, const TalkMark* mark) noexcept nogil
    cdef float _density(self, const float* inputs) noexcept nogil
    cdef void clear(self) noexcept nogil

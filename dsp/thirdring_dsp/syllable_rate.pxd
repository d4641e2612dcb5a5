from thirdring_dsp.vad cimport TalkMark, VoiceActivityDetector

cdef enum:
    SYLLABLE_UNITS = 24
    SETTLED = 32             # hops kept until it is certain whether they were talk
    WINDOW_MOST = 3750       # hops: 60 s

cdef enum Place:
    PAUSE
    BESIDE                   # next to a talk-spurt: its syllables count, its time does not
    TALK

cdef class SyllableRateMeter:
    cdef VoiceActivityDetector own      # what `update` drives; idle when `hop` is driven
    cdef readonly double window_s
    cdef int window_hops
    cdef float[SYLLABLE_UNITS] hidden
    cdef float[SETTLED] density         # syllables a hop
    cdef int[SETTLED] talk              # what a hop is: see Place
    cdef bint talking
    cdef long long hops, settled
    # totals, and the same within the window; talk in hops
    cdef double total, recent
    cdef long long total_talk, recent_talk
    cdef long long recent_hops          # hops of the window that hold some of a syllable
    cdef float[WINDOW_MOST] window      # syllables; -1 less them where nobody talked
    cdef void hop(self, VoiceActivityDetector vad, const TalkMark* mark) noexcept nogil
    cdef float _density(self, const float* inputs) noexcept nogil
    cdef void clear(self) noexcept nogil

from libc.stdint cimport int16_t, int64_t

from thirdring_dsp._bases cimport Detector
from thirdring_dsp._bursts cimport BurstRecord, Tracker
from thirdring_dsp._music cimport Music
from thirdring_dsp._progress_load cimport SequenceSpec, Tones
from thirdring_dsp._tone_sets cimport ToneBank

cdef class CallProgressDetector(Detector):
    cdef readonly str country_code
    cdef ToneBank bank
    cdef Tracker tracker[16]
    cdef bint howls[16]               # whether a howler uses the tone set
    cdef Tones tones
    cdef int16_t held[80]
    cdef int fill
    cdef float frame_power[8]         # mean squares of the last frames
    cdef double active_until_s[16]    # by kind: until when it goes on without being told again
    cdef Music music
    cdef int rings_heard
    cdef double ring_start_s, ring_end_s

    cdef void feed_8k(self, const int16_t* block, int count) noexcept nogil
    cdef void take_hop(self) noexcept nogil
    cdef void listen_for_music(self, double now_s) noexcept nogil
    cdef void wait(self, int tone_set, float best) noexcept nogil
    cdef void begin_burst(self, Tracker* t, int64_t trigger, float power) noexcept nogil
    cdef void follow(self, int tone_set, float best) noexcept nogil
    cdef bint steady(self, int tone_set) noexcept nogil
    cdef void watch(self, int tone_set, double now_s) noexcept nogil
    cdef void end_burst(self, int tone_set) noexcept nogil
    cdef double match(self, const SequenceSpec* spec, BurstRecord* first) noexcept nogil
    cdef int64_t skip_speech(self, int tone_set, int64_t place) noexcept nogil
    cdef void match_rings(self, int tone_set) noexcept nogil
    cdef bint is_ring_pause(self, double pause_s) noexcept nogil
    cdef void count_ring(self, double start_s, double end_s, float power) noexcept nogil
    cdef void emit(self, int kind, int value, double start_s, double end_s, float power) noexcept nogil

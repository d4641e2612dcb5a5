from libc.stdint cimport int16_t, int64_t

from thirdring_dsp._bases cimport Detector
from thirdring_dsp._tone_sets cimport ToneBank

cdef enum:
    SEQUENCES_MAX = 32
    BURSTS_MAX = 10           # of a sequence
    HISTORY = 16              # bursts kept of each tone set

cdef struct BurstSpec:
    int tone_set
    float on_low_s, on_high_s
    float gap_low_s, gap_high_s

cdef struct SequenceSpec:
    int kind
    int bursts
    bint confirms
    float pause_low_s, pause_high_s
    BurstSpec burst[10]

cdef struct ContinuousSpec:
    int kind
    int tone_set
    float after_s

cdef struct BurstRecord:
    double start_s
    double end_s
    float power               # mean square of the tone
    float rest                # mean square of what else was heard during it
    float gap_power           # mean square of the gap before it; negative when unknown
    bint good                 # steady, on frequency

cdef struct Tracker:
    # The last hops of a tone set; places are hop numbers modulo 32.
    float power[32]
    float rest[32]
    # The burst being heard.
    bint on
    int hot                   # hops in a row that would start a burst
    int cold                  # hops in a row that would end one
    int64_t trigger           # hop at which it was found
    double start_s
    bint reported             # as a continuous tone
    int interior
    double power_sum, power_square_sum, power_slope_sum, rest_sum
    double level_sum, balance_sum
    int heard                 # readings in them
    double step_re[4]
    double step_im[4]
    double step_norm[4]
    float loudest
    # The gap since the last burst.
    double gap_energy
    int gap_frames
    # A ring that waits for the end of its pause.
    int pending               # 1 + number of the ring; 0: none
    double pending_start_s
    bint pending_extra        # the burst before it was a ring too, cut short by the stream's start
    # Bursts, the last one at (count - 1) % HISTORY.
    int64_t count
    BurstRecord history[16]

cdef class CallProgressDetector(Detector):
    cdef readonly str country_code
    cdef ToneBank bank
    cdef Tracker tracker[16]
    cdef SequenceSpec sequence[32]
    cdef int sequences
    cdef SequenceSpec ring[16]
    cdef int rings
    cdef ContinuousSpec continuous[16]
    cdef int continuous_count
    cdef int16_t held[80]
    cdef int fill
    cdef float frame_power[8]         # mean squares of the last frames
    cdef double active_until_s[16]    # by kind: until when it goes on without being told again
    cdef float music_power[600]       # of the last 6 s, a frame each
    cdef float music_db[600]
    cdef bint music_told
    cdef double tone_s                # when the last steady burst of any tone ended
    cdef int rings_heard
    cdef double ring_start_s, ring_end_s

    cdef void feed_8k(self, const int16_t* block, int count) noexcept nogil
    cdef void take_hop(self) noexcept nogil
    cdef void listen_for_music(self, double now_s) noexcept nogil
    cdef void follow(self, int tone_set, float best) noexcept nogil
    cdef bint steady(self, int tone_set) noexcept nogil
    cdef bint _is_howler(self, int tone_set) noexcept nogil
    cdef void watch(self, int tone_set, double now_s) noexcept nogil
    cdef void end_burst(self, int tone_set) noexcept nogil
    cdef double edge_s(self, int tone_set, int64_t first, int64_t last, bint falling, float plateau) noexcept nogil
    cdef double match(self, const SequenceSpec* spec, BurstRecord* first) noexcept nogil
    cdef int64_t skip_speech(self, int tone_set, int64_t place) noexcept nogil
    cdef void match_rings(self, int tone_set) noexcept nogil
    cdef bint is_ring_pause(self, double pause_s) noexcept nogil
    cdef void count_ring(self, double start_s, double end_s, float power) noexcept nogil
    cdef void emit(self, int kind, int value, double start_s, double end_s, float power) noexcept nogil

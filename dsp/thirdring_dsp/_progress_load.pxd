"""What a plan's table becomes for the code that runs without the GIL."""

from thirdring_dsp._tone_sets cimport ToneBank

cdef enum:
    SEQUENCES_MAX = 32
    RINGS_MAX = 16
    CONTINUOUS_MAX = 16

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

cdef struct Tones:
    SequenceSpec sequence[32]
    int sequences
    SequenceSpec ring[16]
    int rings
    ContinuousSpec continuous[16]
    int continuous_count

cdef int load_bank(ToneBank* bank, table) except -1
cdef int load_tones(Tones* tones, table, kinds) except -1

"""Bursts of a tone: whether one was steady, where its edges are, what was heard beside it (inlined)."""

from libc.math cimport M_PI, atan2, fabs, hypot, sqrtf
from libc.stdint cimport int64_t

from thirdring_dsp._tone_sets cimport ToneSetSpec

cdef enum:
    HOPS_MASK = 31            # of a tracker's hops, 10 ms each
    HISTORY = 16              # bursts kept of each tone set
    HISTORY_MASK = HISTORY - 1

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
    int64_t gap_from_hop      # the first whose hop of 70 ms before counts
    double gap_energy
    int gap_frames
    # A ring that waits for the end of its pause.
    int pending               # 1 + number of the ring; 0: none
    double pending_start_s
    bint pending_extra        # the burst before it was a ring too, cut short by the stream's start
    # Bursts, the last one at (count - 1) % HISTORY.
    int64_t count
    BurstRecord history[16]


cdef inline bint burst_is_steady(const Tracker* t, const ToneSetSpec* spec, bint howls) noexcept nogil:
    """Whether the burst is of one frequency, within tolerance, and of one level.

    ``howls``: a howler uses the tone set; its level may rise in steps.
    """
    cdef int i, lines = spec.lines if spec.carrier < 0 else 1
    cdef int place
    cdef double norm, hz, mean, drift, n = t.interior
    if t.balance_sum < spec.weakest * t.heard:
        return False
    for i in range(lines):
        if not (spec.resolved or spec.carrier >= 0):
            continue
        place = spec.carrier if spec.carrier >= 0 else i
        norm = hypot(t.step_re[i], t.step_im[i])
        if norm < 0.975 * t.step_norm[i]:
            return False
        hz = spec.nominal_hz[place] + atan2(t.step_im[i], t.step_re[i]) / (2.0 * M_PI * 0.01)
        if not spec.low_hz[place] - 1.5 <= hz <= spec.high_hz[place] + 1.5:
            return False
    if n < 4 or not spec.resolved or spec.carrier >= 0:
        return True
    mean = t.power_sum / n
    if t.power_square_sum / n > 1.08 * mean * mean:
        return t.reported or howls
    # Slope of the level by least squares, times the burst's length; noise adds to it the more the fewer
    # readings there are.
    drift = 12.0 * (t.power_slope_sum - 0.5 * (n - 1.0) * t.power_sum) / (n * n * mean)
    return n < 12 or fabs(drift) <= 0.25 + 9.0 / n or howls


cdef inline double burst_edge_s(
    const float* power, int64_t first, int64_t last, bint falling, float plateau
) noexcept nogil:
    """Return when the amplitude passed half the plateau between two hops."""
    cdef float half = 0.5 * sqrtf(plateau)
    cdef float before, after
    cdef int64_t hop
    first = max(first, 0)
    if falling:
        hop = last
        while hop > first and sqrtf(power[(hop - 1) & HOPS_MASK]) < half:
            hop -= 1
    else:
        hop = min(first + 9, last)
        while hop < last and sqrtf(power[hop & HOPS_MASK]) < half:
            hop += 1
        while hop > first and sqrtf(power[(hop - 1) & HOPS_MASK]) >= half:
            hop -= 1
    before = sqrtf(power[(hop - 1) & HOPS_MASK]) if hop > 0 else 0.0
    after = sqrtf(power[hop & HOPS_MASK])
    # A reading belongs to the middle of its window.
    if after == before or hop == first:
        return max(0.0, (hop + 1) * 0.01 - 0.02)
    return max(0.0, (hop + (half - before) / (after - before)) * 0.01 - 0.02)


cdef inline bint same_power(const BurstRecord* burst, float gap_power) noexcept nogil:
    """Whether a gap sounds like what was heard beside the tone of a burst."""
    if burst.rest < 0.0 or gap_power < 0.0:
        return True
    return (
        gap_power <= <float>2.0 * burst.rest + <float>0.06 * burst.power
        and burst.rest <= <float>4.0 * gap_power + <float>0.12 * burst.power
    )


cdef inline bint same_beside(const BurstRecord* a, const BurstRecord* b) noexcept nogil:
    """The same for the gap between two bursts."""
    return same_power(a, b.gap_power) and same_power(b, b.gap_power)

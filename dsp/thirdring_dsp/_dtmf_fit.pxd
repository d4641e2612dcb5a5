"""One steady tone fitted to the envelope of a band of DTMF (inlined)."""

from libc.math cimport M_PI, atan2f, cosf, fabsf, floor, sinf
from libc.stdint cimport int64_t

from thirdring_dsp._dtmf_tones cimport HOP_S

cdef extern from "thirdring_dsp/_envelopes.h" nogil:
    void envelope_power(const float* x, float* power)
    void envelope_steps(const float* a, const float* b, const float* c, float* steps)
    void envelope_lag(const float (*ring)[4], int mask, int first, int end, int lag, float* steps)
    void envelope_sum(
        const float (*ring)[4], int mask, int first, int end, const float* turn, float* sum, float* power
    )

cdef enum:
    RING = 64               # hops kept
    MASK = RING - 1
    LAG_HOPS = 6            # the long lag of the frequency estimate

cdef struct Segments:      # stretches of hops, counted from the first hop of a candidate
    int count
    int first[8]
    int end[8]

cdef struct ToneFit:
    float turn          # phase per hop, radians
    float purity        # share of the envelope's power that is one steady tone
    float power         # of that tone, in the envelope's units


cdef inline void fit_tones(
    const float (*bands)[4], int64_t origin, const Segments* inside, const float* near_turn, ToneFit* fit
) noexcept nogil:
    """Fit one tone to each of the two bands, at every other hop of the segments.

    ``near_turn``: the turn a hop of each within 0.5 radians; ``fit``: low band, high band.
    """
    cdef int i, k, used = 0, start = <int>(origin & MASK)
    cdef float far[4]
    cdef float far_sum[4]
    cdef float turn[4]
    cdef float part[4]
    cdef float total[4]
    cdef float power[2]
    cdef float turn_re, turn_im
    for i in range(4):
        far_sum[i] = total[i] = 0.0
    power[0] = power[1] = 0.0
    for k in range(inside.count):
        envelope_lag(bands, MASK, start + inside.first[k], start + inside.end[k], LAG_HOPS, far)
        for i in range(4):
            far_sum[i] += far[i]
    for i in range(2):
        fit[i].turn = near_turn[i]
        if far_sum[i] != 0.0 or far_sum[i + 2] != 0.0:
            turn_re = cosf(LAG_HOPS * near_turn[i])
            turn_im = -sinf(LAG_HOPS * near_turn[i])
            fit[i].turn += atan2f(
                far_sum[i] * turn_im + far_sum[i + 2] * turn_re,
                far_sum[i] * turn_re - far_sum[i + 2] * turn_im,
            ) / LAG_HOPS
        turn[2 * i] = cosf(<float>2.0 * fit[i].turn)
        turn[2 * i + 1] = -sinf(<float>2.0 * fit[i].turn)
    for k in range(inside.count):
        envelope_sum(bands, MASK, start + inside.first[k], start + inside.end[k], turn, part, power)
        used += (inside.end[k] - inside.first[k] + 1) // 2
        for i in range(2):
            turn_re = 1.0
            turn_im = 0.0
            if k > 0:
                turn_re = cosf(fit[i].turn * (inside.first[k] - inside.first[0]))
                turn_im = -sinf(fit[i].turn * (inside.first[k] - inside.first[0]))
            total[2 * i] += part[2 * i] * turn_re - part[2 * i + 1] * turn_im
            total[2 * i + 1] += part[2 * i] * turn_im + part[2 * i + 1] * turn_re
    for i in range(2):
        fit[i].power = (total[2 * i] * total[2 * i] + total[2 * i + 1] * total[2 * i + 1]) / (
            <float>used * used
        )
        fit[i].purity = fit[i].power * used / power[i] if power[i] > 0.0 else 0.0


cdef inline float frequency_hz(float turn, double centre_hz) noexcept nogil:
    """Return the frequency nearest to the middle of the band that turns so far in one hop."""
    cdef double cycles = turn / (2.0 * M_PI) - centre_hz * HOP_S
    return <float>(centre_hz + (cycles - floor(cycles + 0.5)) / HOP_S)


cdef inline int nearest(const float* nominal_hz, float hz) noexcept nogil:
    """Return the index of the nominal frequency that ``hz`` is within 2.5 % of, or -1.

    Deviations to 1.8 % must be accepted, from 3.5 % rejected (ITU-T Q.24).
    """
    cdef int i
    for i in range(4):
        if fabsf(hz - nominal_hz[i]) <= <float>0.025 * nominal_hz[i]:
            return i
    return -1


cdef inline bint turned(
    float lag_re, float lag_im, float norm, float ref_re, float ref_im
) noexcept nogil:
    """Whether the phase step (its squared magnitude in ``norm``) left the reference's by about 50 Hz."""
    cdef float along = lag_re * ref_re + lag_im * ref_im
    return along < 0.0 or along * along < <float>(0.88 * 0.88) * norm * (
        ref_re * ref_re + ref_im * ref_im
    )

"""DTMF receiver (ITU-T Q.23, Q.24).

Two complex band-pass filters, one over each group of four frequencies, give the envelope of the
group every 1.5 ms. A DTMF digit is one steady tone in each band, so its frequency is the phase slope
of the envelope: exact to about 1 Hz within 25 ms, where a bank of Goertzel filters of that length
resolves 40 Hz. Its duration, and that of a dropout, is the time the envelope is above half its plateau;
the filters are symmetric, so that time is the tone's own although each filter is 10 ms long.

Cheap tests run at each hop; the exact ones run once per candidate, on the hops it lasted.
"""

from libc.math cimport M_PI, atan2f, cosf, fabsf, floor, log10, sinf
from libc.stdint cimport int16_t, int32_t, int64_t
from libc.string cimport memcpy, memmove, memset

from thirdring_dsp._decimator cimport DECIMATOR_INPUT_MAX, decimator_init, decimator_run
from thirdring_dsp._detector_event cimport DETECTOR_EVENTS_MAX, DetectorEvent

import numpy as np

from thirdring_dsp.events import DspEvent

cdef enum:
    TAPS = 80
    HOP = 12                # samples at 8 kHz: 1.5 ms
    RING = 64
    MASK = RING - 1
    SAMPLES = 2048          # room for them
    KEPT = 720              # how many of them stay when the room is used up
    FEED_MAX = 768          # most samples feed_8k takes at a time

    # Hops of 1.5 ms. A digit lasts 21 (31.5 ms: 23 ms never, 40 ms always); a gap of 10 is bridged
    # (10 ms always, 20 ms never).
    DIGIT_HOPS = 21
    GAP_HOPS = 10
    LOOK_BACK_HOPS = 44
    RUN_HOPS_BEFORE_JUDGING = 22
    REFERENCE_HOPS = 4      # after so many good hops a run's frequencies are its reference
    EDGE_HOPS = 3           # half a filter: hops nearer to an edge see only part of the tone
    LAG_HOPS = 6            # the long lag of the frequency estimate
    INTERIOR_HOPS_MIN = 8

cdef double HOP_S = HOP / 8000.0
# The middle of the first hop's window, which ends with the HOP-th sample.
cdef double FIRST_HOP_S = (HOP - TAPS / 2.0) / 8000.0

cdef float LOW_HZ[4]
cdef float HIGH_HZ[4]
LOW_HZ[:] = [697.0, 770.0, 852.0, 941.0]
HIGH_HZ[:] = [1209.0, 1336.0, 1477.0, 1633.0]
cdef double LOW_CENTRE_HZ = 823.5
cdef double HIGH_CENTRE_HZ = 1428.5
cdef const char* KEYS = "123A456B789C*0#D"

# The sine of 0 dBm0 has its peak 3.14 dB below the overload point (ITU-T G.711, A-law).
cdef double DBM0_POWER = 0.5 * (32768.0 * 10.0 ** (-3.14 / 20.0)) ** 2
cdef double OVERLOAD_POWER = 32768.0 ** 2

# Limits of the exact tests.
cdef float DEVIATION_MAX = 0.0250             # accepted to 1.8 %, rejected from 3.5 %
cdef float TONE_POWER_MIN = <float>(DBM0_POWER * 10.0 ** -4.40)
cdef float LOW_OVER_HIGH_MAX = <float>(10.0 ** 0.92)
cdef float HIGH_OVER_LOW_MAX = <float>(10.0 ** 0.55)
cdef float PURITY_MIN = 0.86
cdef float TONES_SHARE_MIN = 0.70             # of all power; a total S/N of 10 dB leaves 0.91
# Limits of the tests at each hop.
cdef float HOP_POWER_MIN                      # of an envelope; set below
cdef float HOP_LOW_OVER_HIGH_MAX = <float>(10.0 ** 1.2)
cdef float HOP_HIGH_OVER_LOW_MAX = <float>(10.0 ** 0.9)
cdef float HOP_STEADINESS_MIN = 0.80 ** 2     # of the squared phase steadiness
cdef float TURN_COS_MIN = 0.88                # cosine of a frequency step times 1.5 ms: about 50 Hz
cdef float ON_POWER = 0.25                    # of the plateau: half the amplitude

# Rows: low band real, imaginary, high band real, imaginary.
cdef int16_t COEFFICIENTS[4][TAPS]
cdef float LOW_TO_TONE_POWER[4]               # from an envelope's power to the tone's
cdef float HIGH_TO_TONE_POWER[4]


cdef int _design() except -1:
    """Fill the coefficients: Kaiser-windowed low-pass filters moved up to the middle of the bands."""
    cdef int row, tap
    x = np.arange(TAPS) - (TAPS - 1) / 2
    for row, centre_hz, cutoff_hz, scale in (
        (0, LOW_CENTRE_HZ, 250.0, 60000.0), (2, HIGH_CENTRE_HZ, 365.0, 60000.0)
    ):
        prototype = np.kaiser(TAPS, 2.6) * np.sinc(2 * cutoff_hz / 8000 * x)
        prototype *= scale / prototype.sum()
        turn = 2 * np.pi * centre_hz / 8000 * x
        rows = np.rint(np.stack([prototype * np.cos(turn), -prototype * np.sin(turn)]))
        for tap in range(TAPS):
            COEFFICIENTS[row][tap] = <int16_t>int(rows[0, tap])
            COEFFICIENTS[row + 1][tap] = <int16_t>int(rows[1, tap])
        for i in range(4):
            hz = LOW_HZ[i] if row == 0 else HIGH_HZ[i]
            tone = 2 * np.pi * hz / 8000 * x
            gain = (rows[0] * np.cos(tone)).sum() - (rows[1] * np.sin(tone)).sum()
            # A tone of peak A has the power A**2 / 2 and an envelope of A * gain / 2.
            if row == 0:
                LOW_TO_TONE_POWER[i] = 2.0 / gain ** 2
            else:
                HIGH_TO_TONE_POWER[i] = 2.0 / gain ** 2
    return 0

_design()
HOP_POWER_MIN = 0.15 * TONE_POWER_MIN / LOW_TO_TONE_POWER[1]


cdef inline void _filter(const int16_t* window, int32_t* out) noexcept nogil:
    """Apply the four filters to 80 samples."""
    cdef int32_t a = 0, b = 0, c = 0, d = 0
    cdef int32_t sample
    cdef int i
    for i in range(TAPS):
        sample = window[i]
        a += sample * <int32_t>COEFFICIENTS[0][i]
        b += sample * <int32_t>COEFFICIENTS[1][i]
        c += sample * <int32_t>COEFFICIENTS[2][i]
        d += sample * <int32_t>COEFFICIENTS[3][i]
    out[0] = a
    out[1] = b
    out[2] = c
    out[3] = d


cdef struct ToneFit:
    float turn          # phase per hop, radians
    float purity        # share of the envelope's power that is one steady tone
    float power         # of that tone, in the envelope's units


cdef void _fit(
    const float* re, const float* im, const unsigned char* interior, int64_t first, int count,
    ToneFit* fit,
) noexcept nogil:
    """Fit one tone to the interior ones of ``count`` hops from ``first`` on."""
    cdef int i, a, b, used = 0
    cdef float near_re = 0.0, near_im = 0.0, far_re = 0.0, far_im = 0.0
    cdef float turn_re, turn_im, sum_re = 0.0, sum_im = 0.0, power = 0.0, step_re, step_im, swap
    for i in range(count):
        if not interior[i]:
            continue
        b = (first + i) & MASK
        used += 1
        power += re[b] * re[b] + im[b] * im[b]
        if i >= 1 and interior[i - 1]:
            a = (first + i - 1) & MASK
            near_re += re[b] * re[a] + im[b] * im[a]
            near_im += im[b] * re[a] - re[b] * im[a]
        if i >= LAG_HOPS and interior[i - LAG_HOPS]:
            a = (first + i - LAG_HOPS) & MASK
            far_re += re[b] * re[a] + im[b] * im[a]
            far_im += im[b] * re[a] - re[b] * im[a]
    fit.turn = atan2f(near_im, near_re)
    if far_re != 0.0 or far_im != 0.0:
        turn_re = cosf(LAG_HOPS * fit.turn)
        turn_im = -sinf(LAG_HOPS * fit.turn)
        fit.turn += atan2f(
            far_re * turn_im + far_im * turn_re, far_re * turn_re - far_im * turn_im
        ) / LAG_HOPS
    step_re = cosf(fit.turn)
    step_im = -sinf(fit.turn)
    turn_re = 1.0
    turn_im = 0.0
    for i in range(count):
        if interior[i]:
            b = (first + i) & MASK
            sum_re += re[b] * turn_re - im[b] * turn_im
            sum_im += re[b] * turn_im + im[b] * turn_re
        swap = turn_re * step_re - turn_im * step_im
        turn_im = turn_re * step_im + turn_im * step_re
        turn_re = swap
    fit.power = (sum_re * sum_re + sum_im * sum_im) / (<float>used * used)
    fit.purity = fit.power * used / power if power > 0.0 else 0.0


cdef inline float _frequency_hz(float turn, double centre_hz) noexcept nogil:
    """Return the frequency nearest to the middle of the band that turns so far in one hop."""
    cdef double cycles = turn / (2.0 * M_PI) - centre_hz * HOP_S
    return <float>(centre_hz + (cycles - floor(cycles + 0.5)) / HOP_S)


cdef inline int _nearest(const float* nominal_hz, float hz) noexcept nogil:
    """Return the index of the nominal frequency that ``hz`` is within the deviation of, or -1."""
    cdef int i
    for i in range(4):
        if fabsf(hz - nominal_hz[i]) <= DEVIATION_MAX * nominal_hz[i]:
            return i
    return -1


cdef class DtmfDetector:
    """DTMF receiver to ITU-T Q.23 and Q.24.

    Accepts a digit when both tones are within 2.5 % of nominal (so always at 1.8 %, never at 3.5 %),
    last more than 31.5 ms, differ by at most 9.2 dB (low over high) or 5.5 dB (high over low), are at
    least -44 dBm0 each, and carry 70 % of the power of the signal.

    Events: ``dtmf`` once a digit has ended, that is when 16.5 ms passed without it, with its key as
    ``value``; ``dtmf_start`` when it was recognised, about 37 ms after it began (its ``end_s`` is the
    time heard so far). ``level_dbov`` is that of both tones together, ``level_dbm0`` the mean power of
    one tone. Times are exact to about 2 ms. A digit still sounding when the stream stops is reported
    by its ``dtmf_start`` only.

    ``DtmfDetector(sample_rate_hz=8000)``: 8000, 16000 or 48000; ``ValueError`` for another rate.
    """

    def __init__(self, int sample_rate_hz=8000):
        if sample_rate_hz not in (8000, 16000, 48000):
            raise ValueError(f"sample_rate_hz must be 8000, 16000 or 48000, not {sample_rate_hz}")
        self.sample_rate_hz = sample_rate_hz
        self.clear()

    def reset(self):
        """Forget the signal; time starts again at 0."""
        self.clear()

    def update(self, const int16_t[::1] block not None):
        """Take the next samples: a contiguous one-dimensional int16 buffer of any length, also 0.

        Returns the events that became certain with this block. The result does not depend on how the
        stream is cut into blocks. Runs without the GIL; one instance serves one thread at a time.
        """
        cdef Py_ssize_t at = 0, count = block.shape[0]
        cdef int i
        found = []
        while at < count:
            with nogil:
                at += self.feed(&block[at], count - at)
            for i in range(self.events.count):
                found.append(_as_dsp_event(&self.events.items[i]))
            self.events.count = 0
        return found

    cdef void clear(self) noexcept nogil:
        self.events.count = 0
        self.fill = TAPS - HOP          # silence before the first sample
        self.next_end = TAPS
        memset(self.samples, 0, sizeof(self.samples))
        self.hop = 0
        memset(self.low_re, 0, sizeof(self.low_re))
        memset(self.low_im, 0, sizeof(self.low_im))
        memset(self.low_power, 0, sizeof(self.low_power))
        memset(self.high_re, 0, sizeof(self.high_re))
        memset(self.high_im, 0, sizeof(self.high_im))
        memset(self.high_power, 0, sizeof(self.high_power))
        self.low_lag_re = self.low_lag_im = self.low_energy = 0.0
        self.high_lag_re = self.high_lag_im = self.high_energy = 0.0
        self.run_good = 0
        self.run_gap = 0
        self.run_start = 0
        self.key = 0
        self.digit_first = 0
        self.digit_last = -1
        if self.sample_rate_hz != 8000:
            decimator_init(&self.decimator, self.sample_rate_hz // 8000)

    cdef Py_ssize_t feed(self, const int16_t* block, Py_ssize_t count) noexcept nogil:
        """Take samples until all are taken or the caller should drain ``events``; return how many."""
        cdef int16_t decimated[DECIMATOR_INPUT_MAX]
        cdef Py_ssize_t taken = 0
        cdef int part
        while taken < count and self.events.count <= DETECTOR_EVENTS_MAX - 12:
            part = <int>min(count - taken, <Py_ssize_t>FEED_MAX // 4)
            if self.sample_rate_hz == 8000:
                self.feed_8k(block + taken, part)
            else:
                self.feed_8k(decimated, decimator_run(&self.decimator, block + taken, part, decimated))
            taken += part
        return taken

    cdef void feed_8k(self, const int16_t* block, int count) noexcept nogil:
        """Take at most 192 samples at 8 kHz."""
        if self.fill + count > SAMPLES:
            memmove(self.samples, self.samples + (self.fill - KEPT), KEPT * sizeof(int16_t))
            self.next_end -= self.fill - KEPT
            self.fill = KEPT
        memcpy(self.samples + self.fill, block, count * sizeof(int16_t))
        self.fill += count
        while self.next_end <= self.fill:
            self.take_hop()
            self.next_end += HOP
            self.hop += 1

    cdef void take_hop(self) noexcept nogil:
        cdef int32_t bands[4]
        cdef int at = self.hop & MASK
        cdef int before = (self.hop - 1) & MASK
        cdef float lr, li, hr, hi, low, high, low_norm, high_norm
        _filter(self.samples + (self.next_end - TAPS), bands)
        lr = <float>bands[0]
        li = <float>bands[1]
        hr = <float>bands[2]
        hi = <float>bands[3]
        low = lr * lr + li * li
        high = hr * hr + hi * hi
        self.low_re[at] = lr
        self.low_im[at] = li
        self.low_power[at] = low
        self.high_re[at] = hr
        self.high_im[at] = hi
        self.high_power[at] = high
        if low < HOP_POWER_MIN or high < HOP_POWER_MIN:
            # Silence, mostly: nothing to follow, so the smoothed products start anew.
            self.low_lag_re = self.low_lag_im = self.low_energy = 0.0
            self.high_lag_re = self.high_lag_im = self.high_energy = 0.0
            if self.key != 0 and self.hop - self.digit_last > GAP_HOPS:
                self.emit(DTMF_DIGIT)
            if self.run_good != 0:
                self.run_gap += 1
                if self.run_gap > GAP_HOPS:
                    self.run_good = 0
            return
        self.low_lag_re = 0.7 * self.low_lag_re + (
            lr * self.low_re[before] + li * self.low_im[before]
        )
        self.low_lag_im = 0.7 * self.low_lag_im + (
            li * self.low_re[before] - lr * self.low_im[before]
        )
        self.low_energy = 0.7 * self.low_energy + 0.5 * (low + self.low_power[before])
        self.high_lag_re = 0.7 * self.high_lag_re + (
            hr * self.high_re[before] + hi * self.high_im[before]
        )
        self.high_lag_im = 0.7 * self.high_lag_im + (
            hi * self.high_re[before] - hr * self.high_im[before]
        )
        self.high_energy = 0.7 * self.high_energy + 0.5 * (high + self.high_power[before])
        if self.key != 0:
            self.follow_digit(self.hop, low, high)
        low_norm = self.low_lag_re * self.low_lag_re + self.low_lag_im * self.low_lag_im
        high_norm = self.high_lag_re * self.high_lag_re + self.high_lag_im * self.high_lag_im
        if (
            low > HOP_LOW_OVER_HIGH_MAX * high
            or high > HOP_HIGH_OVER_LOW_MAX * low
            or low_norm < HOP_STEADINESS_MIN * self.low_energy * self.low_energy
            or high_norm < HOP_STEADINESS_MIN * self.high_energy * self.high_energy
        ):
            if self.run_good != 0:
                self.run_gap += 1
                if self.run_gap > GAP_HOPS:
                    self.run_good = 0
            return
        if self.run_good >= REFERENCE_HOPS and (
            _turned(self.low_lag_re, self.low_lag_im, low_norm, self.run_low_re, self.run_low_im)
            or _turned(
                self.high_lag_re, self.high_lag_im, high_norm, self.run_high_re, self.run_high_im
            )
        ):
            self.run_good = 0
        if self.run_good < REFERENCE_HOPS:
            if self.run_good == 0:
                self.run_start = self.hop
            self.run_low_re = self.low_lag_re
            self.run_low_im = self.low_lag_im
            self.run_high_re = self.high_lag_re
            self.run_high_im = self.high_lag_im
        self.run_good += 1
        self.run_gap = 0
        if self.key == 0 and self.run_good >= RUN_HOPS_BEFORE_JUDGING:
            self.judge(self.hop)

    cdef void follow_digit(self, int64_t now, float low, float high) noexcept nogil:
        """Extend the digit being heard, or end it when its gap is too long to be a dropout."""
        if (
            low >= ON_POWER * self.digit_low_power
            and high >= ON_POWER * self.digit_high_power
            and _keeps(
                self.low_lag_re, self.low_lag_im, self.low_energy,
                self.digit_low_re, self.digit_low_im,
            )
            and _keeps(
                self.high_lag_re, self.high_lag_im, self.high_energy,
                self.digit_high_re, self.digit_high_im,
            )
        ):
            self.digit_last = now
        elif now - self.digit_last > GAP_HOPS:
            self.emit(DTMF_DIGIT)

    cdef bint judge(self, int64_t now) noexcept nogil:
        """Apply the exact tests to the run that ends with hop ``now``; begin a digit if it is one."""
        cdef unsigned char on[LOOK_BACK_HOPS]
        cdef unsigned char interior[LOOK_BACK_HOPS]
        cdef int64_t first = max(
            now - LOOK_BACK_HOPS + 1, self.run_start - EDGE_HOPS, self.digit_last + 1
        )
        cdef int count = <int>(now - first + 1)
        cdef int i, j, at, heard = 0, gap = 0, begin = -1, inside = 0
        cdef float low_sum = 0.0, low_squares = 0.0, high_sum = 0.0, high_squares = 0.0
        cdef float low_on, high_on, low_power, high_power, total
        cdef int low_index, high_index
        cdef ToneFit low, high
        for i in range(count):
            at = (first + i) & MASK
            low_sum += self.low_power[at]
            low_squares += self.low_power[at] * self.low_power[at]
            high_sum += self.high_power[at]
            high_squares += self.high_power[at] * self.high_power[at]
        # The power-weighted mean of the power: the plateau, little moved by edges and gaps.
        low_on = ON_POWER * low_squares / low_sum
        high_on = ON_POWER * high_squares / high_sum
        for i in range(count - 1, -1, -1):
            at = (first + i) & MASK
            on[i] = self.low_power[at] >= low_on and self.high_power[at] >= high_on
            if on[i]:
                heard += 1
                gap = 0
                begin = i
            else:
                gap += 1
                if gap > GAP_HOPS:
                    break
        if heard < DIGIT_HOPS:
            return False
        first += begin
        count -= begin
        for i in range(count):
            interior[i] = 1
            for j in range(i - EDGE_HOPS, i + EDGE_HOPS + 1):
                if j < 0 or (j < count and not on[begin + j]):
                    interior[i] = 0
            inside += interior[i]
        if inside < INTERIOR_HOPS_MIN:
            return False
        _fit(self.low_re, self.low_im, interior, first, count, &low)
        if low.purity < PURITY_MIN:
            return False
        _fit(self.high_re, self.high_im, interior, first, count, &high)
        if high.purity < PURITY_MIN:
            return False
        low_index = _nearest(LOW_HZ, _frequency_hz(low.turn, LOW_CENTRE_HZ))
        high_index = _nearest(HIGH_HZ, _frequency_hz(high.turn, HIGH_CENTRE_HZ))
        if low_index < 0 or high_index < 0:
            return False
        low_power = low.power * LOW_TO_TONE_POWER[low_index]
        high_power = high.power * HIGH_TO_TONE_POWER[high_index]
        if (
            low_power < TONE_POWER_MIN
            or high_power < TONE_POWER_MIN
            or low_power > LOW_OVER_HIGH_MAX * high_power
            or high_power > HIGH_OVER_LOW_MAX * low_power
        ):
            return False
        total = self.power_over(first + 2, now - 2)
        if low_power + high_power < TONES_SHARE_MIN * total:
            return False
        self.key = KEYS[4 * low_index + high_index]
        self.digit_first = first
        self.digit_last = now
        self.digit_low_power = low.power
        self.digit_high_power = high.power
        self.digit_low_re = cosf(low.turn)
        self.digit_low_im = sinf(low.turn)
        self.digit_high_re = cosf(high.turn)
        self.digit_high_im = sinf(high.turn)
        self.digit_power = low_power + high_power
        self.emit(DTMF_START)
        return True

    cdef float power_over(self, int64_t first, int64_t last) noexcept nogil:
        """Return the mean square of the samples between the middles of two hops."""
        cdef int end = self.next_end - TAPS // 2 - HOP * <int>(self.hop - last)
        cdef int count = HOP * <int>(last - first)
        cdef const int16_t* samples = self.samples + (end - count)
        cdef int32_t total = 0
        cdef int i
        for i in range(count):
            total += (<int32_t>samples[i] * <int32_t>samples[i]) >> 8
        return 256.0 * <float>total / count

    cdef void emit(self, int kind) noexcept nogil:
        cdef DetectorEvent* event = &self.events.items[self.events.count]
        self.events.count += 1
        event.kind = kind
        event.value = self.key
        event.start_s = max(0.0, FIRST_HOP_S + HOP_S * (self.digit_first - 0.5))
        event.end_s = FIRST_HOP_S + HOP_S * (self.digit_last + 0.5)
        event.level_dbov = <float>(10.0 * log10(self.digit_power / OVERLOAD_POWER))
        event.level_dbm0 = <float>(10.0 * log10(0.5 * self.digit_power / DBM0_POWER))
        if kind == DTMF_DIGIT:
            self.key = 0


cdef inline bint _turned(
    float lag_re, float lag_im, float norm, float ref_re, float ref_im
) noexcept nogil:
    """Whether the phase step (its squared magnitude in ``norm``) left the reference's direction."""
    cdef float along = lag_re * ref_re + lag_im * ref_im
    return along < 0.0 or along * along < TURN_COS_MIN * TURN_COS_MIN * norm * (
        ref_re * ref_re + ref_im * ref_im
    )


cdef inline bint _keeps(
    float lag_re, float lag_im, float energy, float turn_re, float turn_im
) noexcept nogil:
    """Whether the phase step is still, on the whole, that of the digit."""
    return lag_re * turn_re + lag_im * turn_im >= 0.7 * energy


cdef object _as_dsp_event(const DetectorEvent* event):
    return DspEvent(
        "dtmf_start" if event.kind == DTMF_START else "dtmf",
        chr(event.value), event.start_s, event.end_s, event.level_dbov, event.level_dbm0,
    )

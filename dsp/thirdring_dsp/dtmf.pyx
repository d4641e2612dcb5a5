"""DTMF receiver (ITU-T Q.23, Q.24).

Two complex band-pass filters, one over each group of four frequencies, give the envelope of the
group every 1.5 ms. A DTMF digit is one steady tone in each band, so its frequency is the phase slope
of the envelope: exact to about 1 Hz within 25 ms, where a bank of Goertzel filters of that length
resolves 40 Hz. Its duration, and that of a dropout, is the time the envelope is above half its plateau;
the filters are symmetric, so that time is the tone's own although each filter is 10 ms long.

Cheap tests run at every other hop; the exact ones run once per candidate, on the hops it lasted.
"""

from libc.math cimport M_PI, atan2f, cosf, fabsf, floor, log10, sinf
from libc.stdint cimport int16_t, int32_t, int64_t
from cpython.mem cimport PyMem_Malloc
from libc.string cimport memcpy, memmove, memset

from thirdring_dsp._decimator cimport DECIMATOR_INPUT_MAX, decimator_init, decimator_run
from thirdring_dsp._detector_event cimport DETECTOR_EVENTS_MAX, DetectorEvent

import numpy as np

from thirdring_dsp.events import DspEvent

cdef extern from "thirdring_dsp/_filter_bank.h" nogil:
    int32_t filter_one(const int16_t* window, const int16_t* row, int taps)
    void filter_bank_4(const int16_t* window, const int16_t* rows, int taps, float* out)

cdef enum:
    TAPS = 80
    HOP = 12                # samples at 8 kHz: 1.5 ms
    RING = 64
    MASK = RING - 1
    SAMPLES = 2048          # room for them
    KEPT = 1500             # how many of them stay when the room is used up
    FEED_MAX = 768          # most samples feed_8k takes at a time

    # Hops of 1.5 ms. A digit lasts 21 (31.5 ms: 23 ms never, 40 ms always); a gap of 10 is bridged
    # (10 ms always, 20 ms never).
    DIGIT_HOPS = 21
    GAP_HOPS = 10
    LOOK_BACK_HOPS = 44
    SHORT_LOOK_BACK_HOPS = 28
    RUN_BEFORE_JUDGING = 11 # good pairs of hops in a run
    DIAL_TONE_SLICES = 4
    DIAL_TONE_SLICE_HOPS = 15
    RUN_BETWEEN_JUDGINGS = 3
    RUN_REFERENCE = 2       # after so many good pairs a run's frequencies are its reference
    RUN_GAP = 5             # pairs: GAP_HOPS
    RUN_TURNED = 3          # after so many pairs at other frequencies a new run begins
    SEGMENTS = 8            # most stretches without a gap in a digit
    EDGE_HOPS = 3           # half a filter: hops nearer to an edge see only part of the tone
    LAG_HOPS = 6            # the long lag of the frequency estimate
    INTERIOR_HOPS_MIN = 10

_new_tuple = tuple.__new__    # a fifth of the cost of DspEvent(...)

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
# Of each other's deviation: off by 1.8 % in opposite directions is 3.6 %. The second and third harmonic of a
# voice at 394 Hz are 4.5 % nearer to each other than the tones of 4 (of 8 at 437 Hz, of # at 482 Hz).
cdef float SPREAD_MAX = 0.0390
cdef float TONE_POWER_MIN = <float>(DBM0_POWER * 10.0 ** -4.40)
cdef float LOW_OVER_HIGH_MAX = <float>(10.0 ** 0.92)
cdef float HIGH_OVER_LOW_MAX = <float>(10.0 ** 0.55)
cdef float PURITY_MIN = 0.80
cdef float DIAL_TONE_CHANGE_MAX = 1.30
cdef float FILTERED_SHARE_MIN = 0.84          # of what is above a dial tone
cdef float FILTERED_PURITY_MIN = 0.95
cdef float TONES_SHARE_MIN = 0.80             # of all power; a total S/N of 10 dB leaves 0.91
# Limits of the tests at each pair of hops.
cdef float HOP_POWER_MIN                      # of an envelope; set below
cdef float PAIR_LOW_OVER_HIGH_MAX = <float>(10.0 ** 1.2)
cdef float PAIR_HIGH_OVER_LOW_MAX = <float>(10.0 ** 0.9)
cdef float STEADINESS_MIN = 0.80 ** 2     # of the squared phase steadiness
cdef float TURN_COS_MIN = 0.88                # cosine of a frequency step times 1.5 ms: about 50 Hz
cdef float KEEP_MIN = 0.70                    # share of the energy that still steps as the digit does
cdef float ON_POWER = 0.25                    # of the plateau: half the amplitude

# Rows: low band real, imaginary, high band real, imaginary.
cdef int16_t* COEFFICIENTS = <int16_t*>PyMem_Malloc(4 * TAPS * sizeof(int16_t) + 16)
COEFFICIENTS += (16 - (<size_t>COEFFICIENTS & 15)) // 2
cdef float HIGH_PASS_GAIN = 16384.0
cdef int16_t HIGH_PASS[TAPS]                  # passes what is above the dial tones of the world
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
            COEFFICIENTS[row * TAPS + tap] = <int16_t>int(rows[0, tap])
            COEFFICIENTS[(row + 1) * TAPS + tap] = <int16_t>int(rows[1, tap])
        for i in range(4):
            hz = LOW_HZ[i] if row == 0 else HIGH_HZ[i]
            tone = 2 * np.pi * hz / 8000 * x
            gain = ((rows[0] * np.cos(tone)).sum() - (rows[1] * np.sin(tone)).sum()) / 65536.0
            # A tone of peak A has the power A**2 / 2 and an envelope of A * gain / 2.
            if row == 0:
                LOW_TO_TONE_POWER[i] = 2.0 / gain ** 2
            else:
                HIGH_TO_TONE_POWER[i] = 2.0 / gain ** 2
    # The odd one: 79 taps and a zero, so that it is a delay of 40 minus a low-pass.
    x = np.arange(TAPS) - TAPS / 2
    prototype = np.kaiser(TAPS + 1, 2.6)[:TAPS] * np.sinc(2 * 570.0 / 8000 * x)
    prototype[0] = 0.0
    prototype *= -HIGH_PASS_GAIN / prototype.sum()
    for tap in range(TAPS):
        HIGH_PASS[tap] = <int16_t>int(np.rint(prototype[tap] + (HIGH_PASS_GAIN if tap == TAPS // 2 else 0)))
    return 0

_design()
HOP_POWER_MIN = 0.15 * TONE_POWER_MIN / LOW_TO_TONE_POWER[1]


cdef struct ToneFit:
    float turn          # phase per hop, radians
    float purity        # share of the envelope's power that is one steady tone
    float power         # of that tone, in the envelope's units


cdef void _fit(
    const float (*bands)[4], int part, int64_t origin, const Segments* inside, float near_turn, ToneFit* fit
) noexcept nogil:
    """Fit one tone to every other hop of the segments.

    ``part`` is 0 for the low band and 2 for the high, ``near_turn`` the turn a hop within 0.5 radians.
    """
    cdef int i, k, used = 0
    cdef const float* now
    cdef const float* before
    cdef float far_re = 0.0, far_im = 0.0
    cdef float turn_re, turn_im, sum_re = 0.0, sum_im = 0.0, power = 0.0, step_re, step_im, swap
    for k in range(inside.count):
        for i in range(inside.first[k] + LAG_HOPS, inside.end[k], 2):
            now = &bands[(origin + i) & MASK][part]
            before = &bands[(origin + i - LAG_HOPS) & MASK][part]
            far_re += now[0] * before[0] + now[1] * before[1]
            far_im += now[1] * before[0] - now[0] * before[1]
    fit.turn = near_turn
    if far_re != 0.0 or far_im != 0.0:
        turn_re = cosf(LAG_HOPS * near_turn)
        turn_im = -sinf(LAG_HOPS * near_turn)
        fit.turn += atan2f(
            far_re * turn_im + far_im * turn_re, far_re * turn_re - far_im * turn_im
        ) / LAG_HOPS
    step_re = cosf(2.0 * fit.turn)
    step_im = -sinf(2.0 * fit.turn)
    turn_re = 1.0
    turn_im = 0.0
    for k in range(inside.count):
        if k > 0:
            turn_re = cosf(fit.turn * (inside.first[k] - inside.first[0]))
            turn_im = -sinf(fit.turn * (inside.first[k] - inside.first[0]))
        for i in range(inside.first[k], inside.end[k], 2):
            now = &bands[(origin + i) & MASK][part]
            power += now[0] * now[0] + now[1] * now[1]
            sum_re += now[0] * turn_re - now[1] * turn_im
            sum_im += now[0] * turn_im + now[1] * turn_re
            swap = turn_re * step_re - turn_im * step_im
            turn_im = turn_re * step_im + turn_im * step_re
            turn_re = swap
            used += 1
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

    Accepts a digit when both tones are within 2.5 % of nominal (so always at 1.8 %, never at 3.5 %) and
    3.9 % of each other's deviation, last more than 31.5 ms, differ by at most 9.2 dB (low over high) or
    5.5 dB (high over low), are at least -44 dBm0 each, and carry 70 % of the power of the signal.

    Events: ``dtmf`` once a digit has ended, that is when 16.5 ms passed without it, with its key as
    ``value``; ``dtmf_start`` when it was recognised, about 37 ms after it began (its ``end_s`` is the
    time heard so far). ``level_dbov`` is that of both tones together, ``level_dbm0`` the mean power of
    one tone. Times are exact to about 2 ms. A digit still sounding when the stream stops is reported
    by its ``dtmf_start`` only.

    ``DtmfDetector(sample_rate_hz=8000)``: 8000, 16000 or 48000; ``ValueError`` for another rate.
    """

    def __cinit__(self, int sample_rate_hz=8000):
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
        self.next_end = TAPS + HOP
        memset(self.samples, 0, sizeof(self.samples))
        self.hop = 0
        memset(self.bands, 0, sizeof(self.bands))
        self.low_power = self.high_power = 0.0
        self.run_good = 0
        self.run_gap = 0
        self.run_turned = 0
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
            self.take_pair()
            self.next_end += 2 * HOP
            self.hop += 2

    cdef void take_pair(self) noexcept nogil:
        """Filter hops ``hop`` and ``hop + 1``, whose last window ends at ``next_end``, and judge them."""
        cdef float* a = self.bands[(self.hop - 1) & MASK]
        cdef float* b = self.bands[self.hop & MASK]
        cdef float* c = self.bands[(self.hop + 1) & MASK]
        cdef const int16_t* window = self.samples + (self.next_end - TAPS - HOP)
        cdef float low_before = self.low_power, high_before = self.high_power
        cdef float low_between, high_between, low, high, low_energy, high_energy
        cdef float low_re, low_im, high_re, high_im, low_norm, high_norm
        filter_bank_4(window, COEFFICIENTS, TAPS, b)
        filter_bank_4(window + HOP, COEFFICIENTS, TAPS, c)
        low_between = b[0] * b[0] + b[1] * b[1]
        high_between = b[2] * b[2] + b[3] * b[3]
        low = c[0] * c[0] + c[1] * c[1]
        high = c[2] * c[2] + c[3] * c[3]
        self.low_power = low
        self.high_power = high
        low_energy = low_between + 0.5 * (low_before + low)
        high_energy = high_between + 0.5 * (high_before + high)
        if (
            low < HOP_POWER_MIN
            or high < HOP_POWER_MIN
            or low_energy > PAIR_LOW_OVER_HIGH_MAX * high_energy
            or high_energy > PAIR_HIGH_OVER_LOW_MAX * low_energy
        ):
            self.miss_pair()
            return
        # The sum of the phase steps a to b and b to c; its magnitude is the energy when both are equal.
        low_re = b[0] * (a[0] + c[0]) + b[1] * (a[1] + c[1])
        low_im = b[1] * (a[0] - c[0]) - b[0] * (a[1] - c[1])
        high_re = b[2] * (a[2] + c[2]) + b[3] * (a[3] + c[3])
        high_im = b[3] * (a[2] - c[2]) - b[2] * (a[3] - c[3])
        if self.key != 0 and (
            low_re * self.digit_low_re + low_im * self.digit_low_im >= KEEP_MIN * low_energy
            and high_re * self.digit_high_re + high_im * self.digit_high_im >= KEEP_MIN * high_energy
        ):
            if low >= self.digit_low_on and high >= self.digit_high_on:
                self.digit_last = self.hop + 1
            elif low_between >= self.digit_low_on and high_between >= self.digit_high_on:
                self.digit_last = self.hop
            elif self.hop + 1 - self.digit_last > GAP_HOPS:
                self.emit(DTMF_DIGIT)
            return
        low_norm = low_re * low_re + low_im * low_im
        high_norm = high_re * high_re + high_im * high_im
        if (
            low_norm < STEADINESS_MIN * low_energy * low_energy
            or high_norm < STEADINESS_MIN * high_energy * high_energy
        ):
            self.miss_pair()
            return
        if self.key != 0 and self.hop + 1 - self.digit_last > GAP_HOPS:
            self.emit(DTMF_DIGIT)
        if self.run_good >= RUN_REFERENCE and (
            _turned(low_re, low_im, low_norm, self.run_low_re, self.run_low_im)
            or _turned(high_re, high_im, high_norm, self.run_high_re, self.run_high_im)
        ):
            # An edge turns too, and passes; other tones stay.
            self.run_turned += 1
            if self.run_turned < RUN_TURNED:
                self.run_gap += 1
                return
            self.run_good = 0
        self.run_turned = 0
        if self.run_good == 0:
            self.run_start = self.hop
            self.run_low_re = self.run_low_im = self.run_high_re = self.run_high_im = 0.0
        self.run_low_re += low_re
        self.run_low_im += low_im
        self.run_high_re += high_re
        self.run_high_im += high_im
        self.run_good += 1
        self.run_gap = 0
        if self.key == 0 and self.run_good >= RUN_BEFORE_JUDGING:
            self.judge(self.hop + 1)

    cdef inline void miss_pair(self) noexcept nogil:
        """Count a pair of hops that is not part of a digit."""
        if self.run_good != 0:
            self.run_gap += 1
            if self.run_gap > RUN_GAP:
                self.run_good = 0
        if self.key != 0 and self.hop + 1 - self.digit_last > GAP_HOPS:
            self.emit(DTMF_DIGIT)

    cdef bint judge(self, int64_t now) noexcept nogil:
        """Apply the exact tests to the run that ends with hop ``now``; begin a digit if it is one."""
        # A run as long as this that is no digit yet may have begun badly (GSM does that): see its end only.
        cdef int look_back = LOOK_BACK_HOPS
        if now - self.run_start >= LOOK_BACK_HOPS:
            look_back = SHORT_LOOK_BACK_HOPS
        cdef int64_t first = max(now - look_back + 1, self.run_start - EDGE_HOPS, self.digit_last + 1)
        cdef float low_powers[LOOK_BACK_HOPS]
        cdef float high_powers[LOOK_BACK_HOPS]
        cdef int count = <int>(now - first + 1)
        cdef int i, heard = 0, gap = 0, end = -1, used = 0
        cdef float low_sum = 0.0, low_squares = 0.0, high_sum = 0.0, high_squares = 0.0
        cdef float low_on, high_on, low_power, high_power, low_hz, high_hz
        cdef float* bands
        cdef int low_index, high_index
        cdef Segments inside
        cdef ToneFit low, high
        for i in range(count):
            bands = self.bands[(first + i) & MASK]
            low_powers[i] = bands[0] * bands[0] + bands[1] * bands[1]
            high_powers[i] = bands[2] * bands[2] + bands[3] * bands[3]
            low_sum += low_powers[i]
            low_squares += low_powers[i] * low_powers[i]
            high_sum += high_powers[i]
            high_squares += high_powers[i] * high_powers[i]
        # The power-weighted mean of the power: the plateau, little moved by edges and gaps.
        low_on = ON_POWER * low_squares / low_sum
        high_on = ON_POWER * high_squares / high_sum
        # Backwards: stretches of hops that are on, each without the hops next to its edges.
        inside.count = 0
        i = count
        while True:
            i -= 1
            if i >= 0 and low_powers[i] >= low_on and high_powers[i] >= high_on:
                if end < 0:
                    end = i + 1
                heard += 1
                gap = 0
                continue
            if end >= 0:
                self.digit_first = first + i + 1
                if end < count:
                    end -= EDGE_HOPS
                if end - (i + 1 + EDGE_HOPS) > 0 and inside.count < SEGMENTS:
                    inside.first[inside.count] = i + 1 + EDGE_HOPS
                    inside.end[inside.count] = end
                    inside.count += 1
                    used += end - (i + 1 + EDGE_HOPS)
                end = -1
            gap += 1
            if i < 0 or gap > GAP_HOPS:
                break
        if heard < DIGIT_HOPS or used < INTERIOR_HOPS_MIN:
            return False
        self.run_good = RUN_BEFORE_JUDGING - RUN_BETWEEN_JUDGINGS
        _fit(self.bands, 0, first, &inside, atan2f(self.run_low_im, self.run_low_re), &low)
        if low.purity < PURITY_MIN:
            return False
        _fit(self.bands, 2, first, &inside, atan2f(self.run_high_im, self.run_high_re), &high)
        if high.purity < PURITY_MIN:
            return False
        low_hz = _frequency_hz(low.turn, LOW_CENTRE_HZ)
        high_hz = _frequency_hz(high.turn, HIGH_CENTRE_HZ)
        low_index = _nearest(LOW_HZ, low_hz)
        high_index = _nearest(HIGH_HZ, high_hz)
        if low_index < 0 or high_index < 0:
            return False
        if fabsf(low_hz / LOW_HZ[low_index] - high_hz / HIGH_HZ[high_index]) > SPREAD_MAX:
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
        if low_power + high_power < TONES_SHARE_MIN * self.power_inside(first, now, &inside, False) and (
            look_back == SHORT_LOOK_BACK_HOPS
            or low.purity < FILTERED_PURITY_MIN
            or high.purity < FILTERED_PURITY_MIN
            or low_power + high_power < FILTERED_SHARE_MIN * self.power_inside(first, now, &inside, True)
            or not self.low_end_is_steady(now)
        ):
            return False
        self.key = KEYS[4 * low_index + high_index]
        self.digit_last = now
        self.digit_low_on = ON_POWER * low.power
        self.digit_high_on = ON_POWER * high.power
        self.digit_low_re = cosf(low.turn)
        self.digit_low_im = sinf(low.turn)
        self.digit_high_re = cosf(high.turn)
        self.digit_high_im = sinf(high.turn)
        self.digit_power = low_power + high_power
        self.run_good = 0
        self.emit(DTMF_START)
        return True

    cdef float power_inside(
        self, int64_t first, int64_t now, const Segments* inside, bint above_dial_tone
    ) noexcept nogil:
        """Return the mean square of the samples between the middles of the segments' hops."""
        cdef const int16_t* samples
        cdef float total = 0.0, filtered
        cdef int32_t sum_256
        cdef int i, k, used = 0
        cdef const int16_t* origin = self.samples + (
            self.next_end - TAPS // 2 - HOP * <int>(now - first)
        )
        for k in range(inside.count):
            samples = origin + HOP * inside.first[k]
            if above_dial_tone:
                samples -= TAPS // 2
                for i in range(0, HOP * (inside.end[k] - inside.first[k] - 1), 2):
                    filtered = filter_one(samples + i, HIGH_PASS, TAPS)
                    total += filtered * filtered
                    used += 1
            else:
                sum_256 = 0
                for i in range(HOP * (inside.end[k] - inside.first[k] - 1)):
                    sum_256 += (<int32_t>samples[i] * <int32_t>samples[i]) >> 8
                total += 256.0 * sum_256
                used += HOP * (inside.end[k] - inside.first[k] - 1)
        return total / (used * HIGH_PASS_GAIN * HIGH_PASS_GAIN if above_dial_tone else used)

    cdef bint low_end_is_steady(self, int64_t now) noexcept nogil:
        """Whether the power below 500 Hz is that of the 0.1 s before: a dial tone, not a voice."""
        cdef float during = self.low_end_power(self.digit_first + 5, now - 1, now)
        cdef float before
        cdef int i
        for i in range(DIAL_TONE_SLICES):
            before = self.low_end_power(
                self.digit_first - 6 - DIAL_TONE_SLICE_HOPS * (i + 1),
                self.digit_first - 6 - DIAL_TONE_SLICE_HOPS * i,
                now,
            )
            if before > DIAL_TONE_CHANGE_MAX * during or during > DIAL_TONE_CHANGE_MAX * before:
                return False
        return True

    cdef float low_end_power(self, int64_t first, int64_t last, int64_t now) noexcept nogil:
        """Return the mean square, below 500 Hz, between the middles of two hops."""
        cdef const int16_t* samples = self.samples + (
            self.next_end - TAPS - HOP * <int>(now - first)
        )
        cdef float total = 0.0, rest
        cdef int i, count = HOP * <int>(last - first)
        for i in range(0, count, 2):
            rest = HIGH_PASS_GAIN * samples[i + TAPS // 2] - filter_one(samples + i, HIGH_PASS, TAPS)
            total += rest * rest
        return 2.0 * total / count

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


cdef object _as_dsp_event(const DetectorEvent* event):
    return _new_tuple(DspEvent, (
        "dtmf_start" if event.kind == DTMF_START else "dtmf",
        chr(event.value), event.start_s, event.end_s, event.level_dbov, event.level_dbm0,
    ))

"""DTMF receiver (ITU-T Q.23, Q.24).

Two complex band-pass filters, one over each group of four frequencies, give the envelope of the
group every 1.5 ms. A DTMF digit is one steady tone in each band, so its frequency is the phase slope
of the envelope: exact to about 1 Hz within 25 ms, where a bank of Goertzel filters of that length
resolves 40 Hz. Its duration, and that of a dropout, is the time the envelope is above half its plateau;
the filters are symmetric, so that time is the tone's own although each filter is 10 ms long.

Cheap tests run at every other hop; the exact ones run once per candidate, on the hops it lasted.
"""

from libc.math cimport atan2f, cosf, fabsf, log10, sinf
from libc.stdint cimport int16_t, int32_t, int64_t, uint64_t
from libc.string cimport memcpy, memmove, memset

from thirdring_dsp._bases cimport dsp_event
from thirdring_dsp._decimator cimport DECIMATOR_INPUT_MAX, decimator_run
from thirdring_dsp._detector_event cimport DETECTOR_EVENTS_MAX, DetectorEvent
from thirdring_dsp._dtmf_fit cimport (
    MASK, ToneFit, envelope_power, envelope_steps, fit_tones, frequency_hz, nearest, turned,
)
from thirdring_dsp._dtmf_tones cimport (
    COEFFICIENTS, HIGH_CENTRE_HZ, HIGH_HZ, HIGH_PASS, HIGH_PASS_GAIN, HIGH_TO_TONE_POWER, HOP, HOP_S,
    LOW_CENTRE_HZ, LOW_HZ, LOW_TO_TONE_POWER, TAPS,
)

cdef extern from "thirdring_dsp/_filter_bank.h" nogil:
    int32_t filter_one(const int16_t* window, const int16_t* row, int taps)
    int32_t sum_squares_256(const int16_t* samples, int count)
    void filter_bank_4(const int16_t* window, const int16_t* rows, int taps, float* out)

cdef enum:
    SAMPLES = 4096          # room for them
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
    INTERIOR_HOPS_MIN = 10

# The middle of the first hop's window, which ends with the HOP-th sample.
cdef double FIRST_HOP_S = (HOP - TAPS / 2.0) / 8000.0
cdef const char* KEYS = "123A456B789C*0#D"

# The sine of 0 dBm0 has its peak 3.14 dB below the overload point (ITU-T G.711, A-law).
cdef double DBM0_POWER = 0.5 * (32768.0 * 10.0 ** (-3.14 / 20.0)) ** 2
cdef double OVERLOAD_POWER = 32768.0 ** 2
cdef float TONE_DBM0_OVER_DBOV = <float>(10.0 * log10(0.5 * OVERLOAD_POWER / DBM0_POWER))    # one of two tones

# Limits of the exact tests.
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
cdef float HOP_POWER_MIN = <float>0.15 * TONE_POWER_MIN / LOW_TO_TONE_POWER[1]    # of an envelope
cdef float PAIR_LOW_OVER_HIGH_MAX = <float>(10.0 ** 1.2)
cdef float PAIR_HIGH_OVER_LOW_MAX = <float>(10.0 ** 0.9)
cdef float STEADINESS_MIN = 0.80 ** 2     # of the squared phase steadiness
cdef float KEEP_MIN = 0.70                    # share of the energy that still steps as the digit does
cdef float ON_POWER = 0.25                    # of the plateau: half the amplitude


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
        self.clear()

    cdef object told(self, const DetectorEvent* event):
        return dsp_event("dtmf_start" if event.kind == DTMF_START else "dtmf", chr(event.value), event)

    cdef void clear(self) noexcept nogil:
        self.clear_input()
        self.fill = TAPS - HOP          # silence before the first sample
        self.next_end = TAPS + HOP
        memset(self.samples, 0, sizeof(self.samples))
        self.hop = 0
        memset(self.bands, 0, sizeof(self.bands))
        memset(self.powers, 0, sizeof(self.powers))
        self.left_out = 0
        self.run_good = 0
        self.run_gap = 0
        self.run_turned = 0
        self.run_start = 0
        self.key = 0
        self.digit_first = 0
        self.digit_last = -1

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
        """Judge hops ``hop`` and ``hop + 1``, whose last window ends at ``next_end``.

        The first of the two is only filtered when the second leaves a doubt.
        """
        cdef float* a = self.bands[(self.hop - 1) & MASK]
        cdef float* b = self.bands[self.hop & MASK]
        cdef float* c = self.bands[(self.hop + 1) & MASK]
        cdef const int16_t* window = self.samples + (self.next_end - TAPS - HOP)
        cdef float* power = self.powers[(self.hop - 1) & MASK]
        cdef float low_before = power[0], high_before = power[1]
        cdef float steps[4]
        cdef float low_between, high_between, low, high, low_energy, high_energy
        cdef float low_re, low_im, high_re, high_im, low_norm, high_norm
        filter_bank_4(window + HOP, COEFFICIENTS, TAPS, c)
        power = self.powers[(self.hop + 1) & MASK]
        envelope_power(c, power)
        low = power[0]
        high = power[1]
        if low < HOP_POWER_MIN or high < HOP_POWER_MIN:
            self.left_out |= <uint64_t>1 << (self.hop & MASK)
            self.miss_pair()
            return
        if (
            self.key != 0
            and low >= self.digit_low_on
            and high >= self.digit_high_on
            and self.digit_goes_on(a, c, low_before + low, high_before + high)
        ):
            self.left_out |= <uint64_t>1 << (self.hop & MASK)
            self.digit_last = self.hop + 1
            return
        self.left_out &= ~(<uint64_t>1 << (self.hop & MASK))
        filter_bank_4(window, COEFFICIENTS, TAPS, b)
        power = self.powers[self.hop & MASK]
        envelope_power(b, power)
        low_between = power[0]
        high_between = power[1]
        low_energy = low_between + <float>0.5 * (low_before + low)
        high_energy = high_between + <float>0.5 * (high_before + high)
        if (
            low_energy > PAIR_LOW_OVER_HIGH_MAX * high_energy
            or high_energy > PAIR_HIGH_OVER_LOW_MAX * low_energy
        ):
            self.miss_pair()
            return
        # The sum of the phase steps a to b and b to c; its magnitude is the energy when both are equal.
        envelope_steps(a, b, c, steps)
        low_re = steps[0]
        high_re = steps[1]
        low_im = steps[2]
        high_im = steps[3]
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
            turned(low_re, low_im, low_norm, self.run_low_re, self.run_low_im)
            or turned(high_re, high_im, high_norm, self.run_high_re, self.run_high_im)
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

    cdef inline bint digit_goes_on(
        self, const float* a, const float* c, float low_energy, float high_energy
    ) noexcept nogil:
        """Whether both bands have turned, over two hops, as far as the digit's tones do."""
        return (
            (c[0] * a[0] + c[1] * a[1]) * self.digit_low_turn_re
            + (c[1] * a[0] - c[0] * a[1]) * self.digit_low_turn_im
            >= <float>0.5 * KEEP_MIN * low_energy
            and (c[2] * a[2] + c[3] * a[3]) * self.digit_high_turn_re
            + (c[3] * a[2] - c[2] * a[3]) * self.digit_high_turn_im
            >= <float>0.5 * KEEP_MIN * high_energy
        )

    cdef void fill_in(self, int64_t first, int64_t now) noexcept nogil:
        """Filter the hops from ``first`` on that were left out; ``now`` is the newest."""
        cdef int64_t hop
        cdef float* b
        for hop in range(first, now):
            if not self.left_out >> (hop & MASK) & 1:
                continue
            b = self.bands[hop & MASK]
            filter_bank_4(
                self.samples + (self.next_end - TAPS - HOP * <int>(now - hop)), COEFFICIENTS, TAPS, b
            )
            envelope_power(b, self.powers[hop & MASK])
            self.left_out &= ~(<uint64_t>1 << (hop & MASK))

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
        cdef int count = <int>(now - first + 1)
        cdef int i, heard = 0, gap = 0, end = -1, used = 0
        cdef float low_sum = 0.0, low_squares = 0.0, high_sum = 0.0, high_squares = 0.0
        cdef float low_on, high_on, low_power, high_power, low_hz, high_hz
        cdef const float* power
        cdef int low_index, high_index
        cdef Segments inside
        cdef float near_turn[2]
        cdef ToneFit fit[2]
        cdef ToneFit low, high
        self.fill_in(first, now)
        for i in range(count):
            power = self.powers[(first + i) & MASK]
            low_sum += power[0]
            low_squares += power[0] * power[0]
            high_sum += power[1]
            high_squares += power[1] * power[1]
        # The power-weighted mean of the power: the plateau, little moved by edges and gaps.
        low_on = ON_POWER * low_squares / low_sum
        high_on = ON_POWER * high_squares / high_sum
        # Backwards: stretches of hops that are on, each without the hops next to its edges.
        inside.count = 0
        i = count
        while True:
            i -= 1
            power = self.powers[(first + i) & MASK]
            if i >= 0 and power[0] >= low_on and power[1] >= high_on:
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
        near_turn[0] = atan2f(self.run_low_im, self.run_low_re)
        near_turn[1] = atan2f(self.run_high_im, self.run_high_re)
        fit_tones(self.bands, first, &inside, near_turn, fit)
        low = fit[0]
        high = fit[1]
        if low.purity < PURITY_MIN or high.purity < PURITY_MIN:
            return False
        low_hz = frequency_hz(low.turn, LOW_CENTRE_HZ)
        high_hz = frequency_hz(high.turn, HIGH_CENTRE_HZ)
        low_index = nearest(LOW_HZ, low_hz)
        high_index = nearest(HIGH_HZ, high_hz)
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
        self.digit_low_turn_re = self.digit_low_re ** 2 - self.digit_low_im ** 2
        self.digit_low_turn_im = 2 * self.digit_low_re * self.digit_low_im
        self.digit_high_turn_re = self.digit_high_re ** 2 - self.digit_high_im ** 2
        self.digit_high_turn_im = 2 * self.digit_high_re * self.digit_high_im
        self.digit_dbov = <float>(10.0 * log10((low_power + high_power) / OVERLOAD_POWER))
        self.run_good = 0
        self.emit(DTMF_START)
        return True

    cdef float power_inside(
        self, int64_t first, int64_t now, const Segments* inside, bint above_dial_tone
    ) noexcept nogil:
        """Return the mean square of the samples between the middles of the segments' hops."""
        cdef const int16_t* samples
        cdef float total = 0.0, filtered
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
                i = HOP * (inside.end[k] - inside.first[k] - 1)
                total += <float>256.0 * sum_squares_256(samples, i)
                used += i
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
        event.level_dbov = self.digit_dbov
        event.level_dbm0 = self.digit_dbov + TONE_DBM0_OVER_DBOV
        if kind == DTMF_DIGIT:
            self.key = 0

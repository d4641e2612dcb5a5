"""Ringing signal on a sampled analogue line: an alternating voltage of 15 to 68 Hz in bursts.

Every 6 ms the line is filtered to below 100 Hz. Over windows of 192 ms the spacing of its zero crossings
gives a frequency, whatever the wave's symmetric shape; a sine fitted at that frequency must carry 87 % of
all alternating power of the line. Ringing from a sine to a trapezoid of crest factor 1.25 does (0.93); a
square wave, that is dial pulses however fast, does not (0.81); speech has its power above 100 Hz.
The edges of a burst are where its power passes a quarter of its plateau.
"""

from libc.math cimport INFINITY, M_PI, cos, fabs, log10, sin, sqrt
from libc.stdint cimport int16_t, int32_t, int64_t
from libc.string cimport memcpy, memmove, memset

from thirdring_dsp._bases cimport dsp_event
from thirdring_dsp._decimator cimport DECIMATOR_INPUT_MAX, decimator_run
from thirdring_dsp._detector_event cimport DETECTOR_EVENTS_MAX, DetectorEvent

import numpy as np


cdef extern from "thirdring_dsp/_filter_bank.h" nogil:
    int32_t filter_one(const int16_t* window, const int16_t* row, int taps)

cdef enum:
    TAPS = 96
    HOP = 48                    # 6 ms: 166.7 hops a second
    SAMPLES = 1024
    FEED_MAX = 192
    MASK = 63
    WINDOW = 32                 # hops: 192 ms
    JUDGE_EVERY = 4
    EDGE_HOPS = 6               # hops over which the power at an edge is taken
    GAP_HOPS = 10               # 60 ms without power end a burst
    CADENCE_MAX = 4             # most bursts in a cadence


cdef double HOP_S = HOP / 8000.0
cdef double OVERLOAD_POWER = 32768.0 ** 2
cdef double LOW_HZ = 14.0
cdef double HIGH_HZ = 71.0
cdef double SINE_SHARE_MIN = 0.87
cdef double SPACING_MAX = 0.22          # relative difference of half a period from the mean
cdef double ON_POWER = 0.25
cdef double QUIET_S = 8.0               # without a ring: the caller has gone
cdef double CADENCE_TOLERANCE = 0.15
cdef double CADENCE_TOLERANCE_S = 0.06

cdef int16_t LOW_PASS[TAPS]
cdef double PROTOTYPE_GAIN = 32768.0


cdef int _design() except -1:
    cdef int tap
    x = np.arange(TAPS) - (TAPS - 1) / 2
    prototype = (0.54 + 0.46 * np.cos(2 * np.pi * x / (TAPS - 1))) * np.sinc(2 * 85.0 / 8000 * x)
    prototype *= PROTOTYPE_GAIN / prototype.sum()
    for tap in range(TAPS):
        LOW_PASS[tap] = <int16_t>int(np.rint(prototype[tap]))
    return 0

_design()


cdef double _gain(double hz) noexcept nogil:
    """Return the low-pass filter's gain."""
    cdef double total = 0.0
    cdef int tap
    for tap in range(TAPS):
        total += LOW_PASS[tap] * cos(2.0 * M_PI * hz / 8000.0 * (tap - (TAPS - 1) / 2.0))
    return total / PROTOTYPE_GAIN


cdef class RingingSignalDetector:
    """Rings of 15 to 68 Hz and their cadence on a sampled analogue line.

    ``ring_start``: a burst has lasted about 0.2 s. ``ring``: it has ended. ``ring_cadence``: the pattern of
    bursts has repeated; its value is the seconds on and off in turn, ``0.4/0.2/0.4/2.0``. ``ringing_end``:
    8 s without a ring, with the number of rings as value. The value of the first two is the frequency in
    Hz, one decimal. ``level_dbov`` is that of the burst. Times are exact to about 30 ms.

    ``RingingSignalDetector(sample_rate_hz=8000, level_min_dbov=-40.0)``: 8000, 16000 or 48000; the level,
    -70 to -3, depends on how the line card scales the voltage; ``ValueError`` otherwise.
    """

    def __cinit__(self, int sample_rate_hz=8000, double level_min_dbov=-40.0):
        if not -70.0 <= level_min_dbov <= -3.0:
            raise ValueError(f"level_min_dbov must be from -70 to -3, not {level_min_dbov}")
        self.level_min_dbov = level_min_dbov
        self.power_min = <float>(OVERLOAD_POWER * 10.0 ** (level_min_dbov / 10.0))
        self.clear()

    cdef object told(self, const DetectorEvent* event):
        cdef int i
        if event.kind == RING_CADENCE:
            kind = "ring_cadence"
            value = "/".join(
                f"{self.on_s[i]:.1f}/{self.off_s[i]:.1f}" for i in range(event.value)
            )
        elif event.kind == RINGING_END:
            kind, value = "ringing_end", str(event.value)
        else:
            kind = "ring" if event.kind == RING else "ring_start"
            value = f"{event.value / 10.0:.1f}"
        return dsp_event(kind, value, event)

    cdef void clear(self) noexcept nogil:
        self.clear_input()
        memset(self.samples, 0, sizeof(self.samples))
        self.fill = TAPS - HOP          # silence before the first sample
        self.next_end = TAPS
        self.hop = 0
        memset(self.slow, 0, sizeof(self.slow))
        memset(self.means, 0, sizeof(self.means))
        memset(self.powers, 0, sizeof(self.powers))
        self.ringing = False
        self.rings = 0
        self.cadence_said = 0

    cdef Py_ssize_t feed(self, const int16_t* block, Py_ssize_t count) noexcept nogil:
        """Take samples until all are taken or the caller should drain ``events``; return how many."""
        cdef int16_t decimated[DECIMATOR_INPUT_MAX]
        cdef Py_ssize_t taken = 0
        cdef int part
        while taken < count and self.events.count == 0:
            part = <int>min(count - taken, <Py_ssize_t>FEED_MAX)
            if self.sample_rate_hz == 8000:
                self.feed_8k(block + taken, part)
            else:
                self.feed_8k(decimated, decimator_run(&self.decimator, block + taken, part, decimated))
            taken += part
        return taken

    cdef void feed_8k(self, const int16_t* block, int count) noexcept nogil:
        """Take at most 192 samples at 8 kHz."""
        if self.fill + count > SAMPLES:
            memmove(self.samples, self.samples + (self.fill - TAPS), TAPS * sizeof(int16_t))
            self.next_end -= self.fill - TAPS
            self.fill = TAPS
        memcpy(self.samples + self.fill, block, count * sizeof(int16_t))
        self.fill += count
        while self.next_end <= self.fill:
            self.take_hop()
            self.next_end += HOP
            self.hop += 1

    cdef void take_hop(self) noexcept nogil:
        # Sums over the middle 48 of the filter's 96 samples, so that both are of the same time.
        cdef const int16_t* middle = self.samples + (self.next_end - TAPS // 2 - HOP // 2)
        cdef int32_t sum = 0, squares = 0
        cdef int i, at = self.hop & MASK
        cdef float power
        for i in range(HOP):
            sum += middle[i]
            squares += (<int32_t>middle[i] * <int32_t>middle[i]) >> 6
        self.slow[at] = <float>(filter_one(self.samples + (self.next_end - TAPS), LOW_PASS, TAPS) / PROTOTYPE_GAIN)
        self.means[at] = <float>sum / HOP
        self.powers[at] = 64.0 * <float>squares / HOP
        if self.ringing:
            power = self.power_of(EDGE_HOPS)
            if power >= ON_POWER * self.ring_power:
                self.ring_last = self.hop
            elif self.hop - self.ring_last > GAP_HOPS:
                self.end_ring()
                return
        if self.hop % JUDGE_EVERY != 0:
            return
        if self.looks_like_ringing():
            if not self.ringing:
                self.begin_ring()
            self.frequency_sum += self.frequency_hz
            self.frequency_count += 1
        elif self.rings > 0 and not self.ringing and HOP_S * self.hop - self.last_end_s > QUIET_S:
            self.emit(RINGING_END, self.first_start_s, self.last_end_s)
            self.rings = 0
            self.cadence_said = 0

    cdef float power_of(self, int hops) noexcept nogil:
        """Return the alternating power of the last hops; the direct voltage is that of the window."""
        cdef float mean = 0.0, power = 0.0
        cdef int i
        for i in range(WINDOW):
            mean += self.means[(self.hop - i) & MASK]
        mean /= WINDOW
        for i in range(hops):
            power += self.powers[(self.hop - i) & MASK] - mean * (
                2.0 * self.means[(self.hop - i) & MASK] - mean
            )
        return power / hops

    cdef bint looks_like_ringing(self) noexcept nogil:
        """Judge the window; sets ``frequency_hz``."""
        cdef double crossings[WINDOW]
        cdef float values[WINDOW]
        cdef double mean = 0.0, power, spacing, hz, re = 0.0, im = 0.0, turn, gain
        cdef double turn_re = 1.0, turn_im = 0.0, step_re, step_im, swap
        cdef int i, count = 0, first, last, used
        power = self.power_of(WINDOW)
        if power < self.power_min:
            return False
        for i in range(WINDOW):
            values[i] = self.slow[(self.hop - WINDOW + 1 + i) & MASK]
            mean += values[i]
        mean /= WINDOW
        # The mean over whole periods, from crossings of the mean over the window.
        for first in range(2):
            count = 0
            for i in range(1, WINDOW):
                if (values[i - 1] < mean) != (values[i] < mean):
                    crossings[count] = i - 1 + (mean - values[i - 1]) / (values[i] - values[i - 1])
                    count += 1
            if count < 4:
                return False
            used = (count - 1) // 2 * 2
            mean = 0.0
            last = 0
            for i in range(WINDOW):
                if crossings[0] <= i < crossings[used]:
                    mean += values[i]
                    last += 1
            if last == 0:
                return False
            mean /= last
        spacing = (crossings[count - 1] - crossings[0]) / (count - 1)
        for i in range(1, count):
            if fabs(crossings[i] - crossings[i - 1] - spacing) > SPACING_MAX * spacing + 0.1:
                return False
        hz = 1.0 / (2.0 * spacing * HOP_S)
        if hz < LOW_HZ or hz > HIGH_HZ:
            return False
        turn = M_PI / spacing
        step_re = cos(turn)
        step_im = -sin(turn)
        for i in range(WINDOW):
            re += (values[i] - mean) * turn_re
            im += (values[i] - mean) * turn_im
            swap = turn_re * step_re - turn_im * step_im
            turn_im = turn_re * step_im + turn_im * step_re
            turn_re = swap
        gain = _gain(hz)
        # Power of the sine, and of all that alternates.
        if 2.0 * (re * re + im * im) / (WINDOW * WINDOW * gain * gain) < SINE_SHARE_MIN * power:
            return False
        self.frequency_hz = <float>hz
        return True

    cdef void begin_ring(self) noexcept nogil:
        cdef int i
        self.ringing = True
        self.ring_power = self.power_of(WINDOW)
        self.frequency_sum = 0.0
        self.frequency_count = 0
        self.ring_last = self.hop
        # Back to where the power was a quarter of the plateau.
        self.ring_first = self.hop - WINDOW + 1
        self.rings += 1
        if self.rings == 1:
            self.first_start_s = HOP_S * (self.ring_first - 0.5)
        else:
            if self.rings > 9:
                for i in range(7):
                    self.off_s[i] = self.off_s[i + 1]
            self.off_s[min(self.rings - 2, 7)] = max(0.0, HOP_S * (self.ring_first - 0.5) - self.last_end_s)
            self.judge_cadence()
        self.emit(RING_START, HOP_S * (self.ring_first - 0.5), HOP_S * (self.hop + 0.5))

    cdef void end_ring(self) noexcept nogil:
        cdef int i
        # The power at an edge is over the last six hops: falls to a quarter when 4.5 of them are over.
        cdef double start_s = HOP_S * (self.ring_first - 0.5)
        cdef double end_s = max(HOP_S * (self.ring_last - 0.5 * EDGE_HOPS), start_s)
        self.ringing = False
        self.last_end_s = end_s
        if self.rings > 8:
            for i in range(7):
                self.on_s[i] = self.on_s[i + 1]
        self.on_s[min(self.rings - 1, 7)] = end_s - start_s
        self.emit(RING, start_s, end_s)

    cdef void judge_cadence(self) noexcept nogil:
        """Say the cadence once it has repeated: called at the start of a ring."""
        cdef int have = min(self.rings - 1, 8)     # complete pairs of on and off
        cdef int pairs, i
        cdef bint same
        if self.cadence_said != 0:
            return
        for pairs in range(1, CADENCE_MAX + 1):
            if have < 2 * pairs:
                return
            same = True
            for i in range(have - pairs, have):
                if _differ(self.on_s[i], self.on_s[i - pairs]) or _differ(self.off_s[i], self.off_s[i - pairs]):
                    same = False
            if same:
                self.cadence_said = pairs
                self.emit(RING_CADENCE, self.first_start_s, HOP_S * (self.ring_first - 0.5))
                return

    cdef void emit(self, int kind, double start_s, double end_s) noexcept nogil:
        cdef DetectorEvent* event = &self.events.items[self.events.count]
        if self.events.count == DETECTOR_EVENTS_MAX:
            return
        self.events.count += 1
        event.kind = kind
        if kind == RING_CADENCE:
            event.value = self.cadence_said
        elif kind == RINGING_END:
            event.value = self.rings
        elif self.frequency_count > 0:
            event.value = <int>(10.0 * self.frequency_sum / self.frequency_count + 0.5)
        else:
            event.value = <int>(10.0 * self.frequency_hz + 0.5)
        event.start_s = max(0.0, start_s)
        event.end_s = max(event.start_s, end_s)
        event.level_dbov = <float>(10.0 * log10(self.ring_power / OVERLOAD_POWER))
        event.level_dbm0 = -INFINITY    # a voltage, not a level of the network


cdef inline bint _differ(double a_s, double b_s) noexcept nogil:
    return fabs(a_s - b_s) > max(CADENCE_TOLERANCE * max(a_s, b_s), CADENCE_TOLERANCE_S)

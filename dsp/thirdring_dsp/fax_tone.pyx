"""Fax and modem tones: CNG (ITU-T T.30 clause 4.3.3.3), CED and ANSam (T.30 4.3.3.2, V.8, V.25).

A Hann-windowed correlation of 10 ms at each of 1100 and 2100 Hz, every 5 ms. Both frequencies are odd
multiples of 100 Hz, so their envelope turns by half a circle a hop and a deviation shows as the
difference from that. A hop has the tone when the tone carries most of the power of its 10 ms; white
noise 10 dB below the tone leaves it 0.91.
"""

from cpython.mem cimport PyMem_Malloc
from libc.math cimport M_PI, cos, log10, sin, sqrtf
from libc.stdint cimport int16_t, int32_t, int64_t
from libc.string cimport memcpy, memmove, memset

from thirdring_dsp._bases cimport dsp_event
from thirdring_dsp._decimator cimport DECIMATOR_INPUT_MAX, decimator_run
from thirdring_dsp._detector_event cimport DETECTOR_EVENTS_MAX, DetectorEvent

import numpy as np


cdef extern from "thirdring_dsp/_filter_bank.h" nogil:
    void filter_bank_4(const int16_t* window, const int16_t* rows, int taps, float* out)

cdef enum:
    TAPS = 80
    HOP = 40
    SAMPLES = 1024
    FEED_MAX = 192

    GAP_HOPS = 4                # 20 ms: a phase reversal takes the tone away for a hop or two
    CNG_GAP_HOPS = 2
    CNG_HOPS_MIN = 80           # 0.4 s: 0.5 s less 15 % and the edges
    CNG_HOPS_MAX = 125          # 0.625 s
    CED_HOPS = 107              # eight periods of ANSam's 15 Hz


cdef double HOP_S = HOP / 8000.0
cdef double FIRST_HOP_S = (HOP - TAPS / 2.0) / 8000.0
cdef double DBM0_POWER = 0.5 * (32768.0 * 10.0 ** (-3.14 / 20.0)) ** 2
cdef double OVERLOAD_POWER = 32768.0 ** 2

cdef float SHARE_MIN = 0.60
cdef float TONE_POWER_MIN = <float>(DBM0_POWER * 10.0 ** -4.4)
# Cosines of the deviation times 5 ms: of one hop (noisy) and of a whole tone.
cdef float CNG_HOP_COS_MIN = <float>cos(2.0 * M_PI * 49.0 * HOP_S)
cdef float CNG_COS_MIN = <float>cos(2.0 * M_PI * 44.0 * HOP_S)        # 38 Hz are allowed
cdef float CED_HOP_COS_MIN = <float>cos(2.0 * M_PI * 35.0 * HOP_S)
cdef float CED_COS_MIN = <float>cos(2.0 * M_PI * 22.0 * HOP_S)        # 15 Hz are allowed
cdef float REVERSED_COS_MAX = -0.7
cdef float MODULATION_MIN = 0.10                                      # ANSam has 0.20

# Rows: 1100 Hz real, imaginary, 2100 Hz real, imaginary.
cdef int16_t* COEFFICIENTS = <int16_t*>PyMem_Malloc(4 * TAPS * sizeof(int16_t) + 16)
COEFFICIENTS += (16 - (<size_t>COEFFICIENTS & 15)) // 2
cdef float TO_TONE_POWER            # from an envelope's power to the tone's


cdef int _design() except -1:
    global TO_TONE_POWER
    cdef int row, tap
    x = np.arange(TAPS) - (TAPS - 1) / 2
    window = 0.5 + 0.5 * np.cos(2 * np.pi * x / TAPS)
    window *= 60000.0 / window.sum()
    for row, hz in ((0, 1100.0), (2, 2100.0)):
        turn = 2 * np.pi * hz / 8000 * x
        for tap in range(TAPS):
            COEFFICIENTS[row * TAPS + tap] = <int16_t>int(np.rint(window[tap] * np.cos(turn[tap])))
            COEFFICIENTS[(row + 1) * TAPS + tap] = <int16_t>int(np.rint(-window[tap] * np.sin(turn[tap])))
    TO_TONE_POWER = 2.0 * (65536.0 / 60000.0) ** 2
    return 0

_design()


cdef class FaxToneDetector:
    """Calling tone and answer tone of fax machines and modems.

    ``cng``: 1100 Hz within 38 Hz for 0.4 to 0.625 s, when it has ended.
    ``ced``: 2100 Hz within 15 Hz, once it has lasted 0.54 s (``end_s`` is the time heard so far).
    ``ced_phase_reversal``: each reversal of its phase; start and end are the time of the reversal.
    ``ced_end``: when it has ended. ``value`` of these three is ``ANS`` or, with the 15 Hz amplitude
    modulation of V.8, ``ANSam``; ``ced_end`` puts a slash before it when the phase was reversed.

    ``level_dbov`` and ``level_dbm0`` are those of the tone. A hop counts when the tone is above -44 dBm0
    and carries 60 % of the power.

    ``FaxToneDetector(sample_rate_hz=8000)``: 8000, 16000 or 48000; ``ValueError`` for another rate.
    """

    def __cinit__(self, int sample_rate_hz=8000):
        self.clear()

    cdef object told(self, const DetectorEvent* event):
        value = "CNG" if event.kind == FAX_CNG else _ANSWERS[event.value]
        return dsp_event(_KINDS[event.kind], value, event)

    cdef void clear(self) noexcept nogil:
        self.clear_input()
        memset(self.samples, 0, sizeof(self.samples))
        self.fill = TAPS - HOP          # silence before the first sample
        self.next_end = TAPS
        self.hop = 0
        memset(self.energies, 0, sizeof(self.energies))
        self.cng.heard = 0
        self.ced.heard = 0
        self.ced_said = False

    cdef Py_ssize_t feed(self, const int16_t* block, Py_ssize_t count) noexcept nogil:
        """Take samples until all are taken or the caller should drain ``events``; return how many."""
        cdef int16_t decimated[DECIMATOR_INPUT_MAX]
        cdef Py_ssize_t taken = 0
        cdef int part
        # A part is five hops at most, and a hop leaves at most three events.
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
        cdef float bands[4]
        cdef const int16_t* newest = self.samples + (self.next_end - HOP)
        cdef int32_t energy = 0
        cdef int i
        cdef float total, power, along, across
        for i in range(HOP):
            energy += (<int32_t>newest[i] * <int32_t>newest[i]) >> 6
        self.energies[self.hop & 1] = <float>energy
        total = 64.0 / TAPS * (self.energies[0] + self.energies[1])
        if total < TONE_POWER_MIN:
            bands[0] = bands[1] = bands[2] = bands[3] = 0.0
        else:
            filter_bank_4(self.samples + (self.next_end - TAPS), COEFFICIENTS, TAPS, bands)
        power = TO_TONE_POWER * (bands[0] * bands[0] + bands[1] * bands[1])
        if power >= TONE_POWER_MIN and power >= SHARE_MIN * total:
            if self.cng.heard == 0:
                self.cng.first = self.hop
                self.cng.step_re = self.cng.step_im = 0.0
                self.cng.power = 0.0
            elif self.cng.last == self.hop - 1:
                along = bands[0] * self.cng.re + bands[1] * self.cng.im
                across = bands[1] * self.cng.re - bands[0] * self.cng.im
                if _deviates(along, across, CNG_HOP_COS_MIN):
                    self.end_cng()
                    self.cng.first = self.hop
                    self.cng.step_re = self.cng.step_im = 0.0
                    self.cng.power = 0.0
                else:
                    self.cng.step_re += along
                    self.cng.step_im += across
            self.cng.heard += 1
            self.cng.last = self.hop
            self.cng.re = bands[0]
            self.cng.im = bands[1]
            self.cng.power += power
        elif self.cng.heard != 0 and self.hop - self.cng.last > CNG_GAP_HOPS:
            self.end_cng()
        power = TO_TONE_POWER * (bands[2] * bands[2] + bands[3] * bands[3])
        if power >= TONE_POWER_MIN and power >= SHARE_MIN * total:
            self.hear_ced(bands[2], bands[3], power)
        elif self.ced.heard != 0 and self.hop - self.ced.last > GAP_HOPS:
            self.end_ced()

    cdef void end_cng(self) noexcept nogil:
        """Say whether the burst of 1100 Hz that has ended was the calling tone."""
        cdef int64_t lasted = self.cng.last - self.cng.first + 1
        if CNG_HOPS_MIN <= lasted <= CNG_HOPS_MAX and not _deviates(
            self.cng.step_re, self.cng.step_im, CNG_COS_MIN
        ):
            self.emit(
                FAX_CNG, 0, FIRST_HOP_S + HOP_S * (self.cng.first - 0.5),
                FIRST_HOP_S + HOP_S * (self.cng.last + 0.5), self.cng.power / self.cng.heard,
            )
        self.cng.heard = 0

    cdef void hear_ced(self, float re, float im, float power) noexcept nogil:
        """Extend the answer tone by this hop."""
        cdef ToneRun* run = &self.ced
        cdef float along, across, norm, expected, amplitude
        cdef double when, phase
        if run.heard != 0:
            along = re * run.re + im * run.im
            across = im * run.re - re * run.im
            if run.last == self.hop - 1:
                if _deviates(along, across, CED_HOP_COS_MIN):
                    self.end_ced()
                else:
                    run.step_re += along
                    run.step_im += across
            elif run.heard > 1:
                # After a gap: where the phase stands against where the steps so far would have it.
                norm = sqrtf(
                    (along * along + across * across)
                    * (run.step_re * run.step_re + run.step_im * run.step_im)
                )
                expected = _turned_along(
                    along, across, run.step_re, run.step_im, <int>(self.hop - run.last)
                )
                if expected < REVERSED_COS_MAX * norm:
                    self.reversals += 1
                    when = FIRST_HOP_S + HOP_S * 0.5 * (self.hop + run.last)
                    if self.ced_said:
                        self.emit(FAX_CED_PHASE_REVERSAL, self.modulated, when, when, run.power / run.heard)
                    elif self.reversals == 1:
                        self.first_reversal_s = when
        if run.heard == 0:
            run.first = self.hop
            run.step_re = run.step_im = 0.0
            run.power = 0.0
            self.amplitude = self.modulation_re = self.modulation_im = 0.0
            self.modulated = False
            self.reversals = 0
            self.first_reversal_s = -1.0
        run.heard += 1
        run.last = self.hop
        run.re = re
        run.im = im
        run.power += power
        if self.ced_said:
            return
        amplitude = sqrtf(power)
        phase = 2.0 * M_PI * 15.0 * HOP_S * (self.hop - run.first)
        self.amplitude += amplitude
        self.modulation_re += amplitude * cos(phase)
        self.modulation_im += amplitude * sin(phase)
        if run.last - run.first + 1 >= CED_HOPS:
            if run.heard * 10 < CED_HOPS * 9 or _deviates(run.step_re, run.step_im, CED_COS_MIN):
                run.heard = 0
                return
            self.ced_said = True
            self.modulated = 4.0 * (
                self.modulation_re * self.modulation_re + self.modulation_im * self.modulation_im
            ) > (MODULATION_MIN * self.amplitude) * (MODULATION_MIN * self.amplitude)
            self.emit(
                FAX_CED, self.modulated, FIRST_HOP_S + HOP_S * (run.first - 0.5),
                FIRST_HOP_S + HOP_S * (run.last + 0.5), run.power / run.heard,
            )
            if self.first_reversal_s >= 0.0:
                self.emit(
                    FAX_CED_PHASE_REVERSAL, self.modulated, self.first_reversal_s,
                    self.first_reversal_s, run.power / run.heard,
                )

    cdef void end_ced(self) noexcept nogil:
        if self.ced_said:
            self.emit(
                FAX_CED_END, self.modulated + (2 if self.reversals > 0 else 0),
                FIRST_HOP_S + HOP_S * (self.ced.first - 0.5),
                FIRST_HOP_S + HOP_S * (self.ced.last + 0.5), self.ced.power / self.ced.heard,
            )
        self.ced_said = False
        self.ced.heard = 0

    cdef void emit(self, int kind, int value, double start_s, double end_s, double power) noexcept nogil:
        cdef DetectorEvent* event = &self.events.items[self.events.count]
        if self.events.count == DETECTOR_EVENTS_MAX:
            return
        self.events.count += 1
        event.kind = kind
        event.value = value
        event.start_s = max(0.0, start_s)
        event.end_s = end_s
        event.level_dbov = <float>(10.0 * log10(power / OVERLOAD_POWER))
        event.level_dbm0 = <float>(10.0 * log10(power / DBM0_POWER))


cdef inline bint _deviates(float along, float across, float cos_min) noexcept nogil:
    """Whether a turn is farther from half a circle than the angle whose cosine is given."""
    return along > 0.0 or along * along < cos_min * cos_min * (along * along + across * across)


cdef float _turned_along(float re, float im, float step_re, float step_im, int steps) noexcept nogil:
    """Return the part of (re, im) along ``steps`` turns of the step, times the step's magnitude."""
    cdef float magnitude = sqrtf(step_re * step_re + step_im * step_im)
    cdef float turn_re = 1.0, turn_im = 0.0, swap
    cdef int i
    if magnitude == 0.0:
        return 0.0
    for i in range(steps):
        swap = (turn_re * step_re - turn_im * step_im) / magnitude
        turn_im = (turn_re * step_im + turn_im * step_re) / magnitude
        turn_re = swap
    return (re * turn_re + im * turn_im) * magnitude


cdef dict _KINDS = {
    FAX_CNG: "cng",
    FAX_CED: "ced",
    FAX_CED_PHASE_REVERSAL: "ced_phase_reversal",
    FAX_CED_END: "ced_end",
}
cdef tuple _ANSWERS = ("ANS", "ANSam", "/ANS", "/ANSam")

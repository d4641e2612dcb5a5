"""Call progress tones of a national plan (ITU-T E.180, E.182 and Supplement 2 of the E.180 series).

``_tone_sets`` says every 10 ms how much of the last 40 ms each tone of the plan explains. Here that
becomes bursts: a tone is on from where its amplitude passes half its plateau to where it falls below,
which is its own length although the window is longer, at any signal-to-noise ratio. A burst counts only
if it was steady in frequency and in level, and within the plan's tolerance. Sequences of bursts and
gaps then tell the tones apart; what is heard beside the tone during a burst must be what is heard in
the gap, because the network plays nothing else: music and speech fail that.
"""

from libc.math cimport M_PI, INFINITY, atan2, fabs, hypot, log10, logf, sqrtf
from libc.stdint cimport int16_t, int64_t
from libc.string cimport memcpy, memset

from thirdring_dsp._bases cimport dsp_event
from thirdring_dsp._decimator cimport decimator_run
from thirdring_dsp._detector_event cimport DETECTOR_EVENTS_MAX, DetectorEvent
from thirdring_dsp._tone_sets cimport (
    BANK_LINES_MAX, FRAME, SETS_MAX, ToneReading, ToneSetSpec, bank_clear, bank_frame, bank_line,
    bank_tune,
)

import numpy as np

from thirdring_dsp.progress_table import EVENT_KINDS, progress_table

cdef enum:
    RING_MASK = 31            # of a tracker's hops
    HISTORY_MASK = 15
    RINGS_MAX = 16
    CONTINUOUS_MAX = 16
    FEED_MAX = 192
    MUSIC_FRAMES = 600
    EVENTS_LEFT = 10          # most events a hop can bring

cdef double HOP_S = 0.01
cdef double WINDOW_S = 0.04
# The sine of 0 dBm0 has its peak 3.14 dB below the overload point (ITU-T G.711, A-law).
cdef double DBM0_POWER = 0.5 * (32768.0 * 10.0 ** (-3.14 / 20.0)) ** 2
cdef double OVERLOAD_POWER = 32768.0 ** 2

cdef float POWER_MIN = <float>(DBM0_POWER * 10.0 ** -4.7)
cdef float SHARE_ON = 0.45        # 2 dB of S/N leave a tone 0.61 of the power
cdef float SHARE_OFF = 0.25
cdef float SHARE_BEHIND = 0.12    # a tone set may explain so much less than the best one
cdef float SHARE_FAR_BEHIND = 0.25
cdef float EDGE_POWER_BEATING = 0.1  # slow modulation shows in the window's power
cdef float EDGE_POWER = 0.25      # of the plateau: half the amplitude
cdef double FREQUENCY_SLACK_HZ = 1.5
cdef double COHERENCE_MIN = 0.975
cdef double LEVEL_VARIANCE_MAX = 0.08
# Of the level over a burst, and what noise may add, for each reading there is.
cdef double LEVEL_DRIFT_MAX = 0.25
cdef double LEVEL_DRIFT_NOISE = 9.0
# What is heard in a gap against what was heard beside the tone during the bursts.
cdef float GAP_OVER_REST = 2.0
cdef float GAP_OVER_TONE = 0.06
cdef float REST_OVER_GAP = 4.0
cdef float REST_OVER_TONE = 0.12
cdef float IN_SPEECH_REST = 0.33
cdef double RING_GAP_S = 1.2
cdef double CUT_BURST_S = 0.2     # a ring cut short by the start of the stream shows at least this

# Music in place of ringback, over 6 s: hardly a quiet frame (speech has pauses), but no steady level.
cdef float QUIET_BELOW_MEAN = 0.03
cdef int QUIET_FRAMES_MAX = 48
cdef double UNSTEADY_DB_MIN = 1.2
cdef float MUSIC_POWER_MIN = <float>(32768.0 ** 2 * 10.0 ** -5.0)
cdef double MUSIC_S = 6.0

KINDS = (*EVENT_KINDS, "unknown_ringback")
EVENT_NAMES = (*EVENT_KINDS.values(), "unknown_ringback")
cdef int RINGBACK = KINDS.index("ringback")
cdef int CALL_WAITING = KINDS.index("call_waiting")
cdef int HOWLER = KINDS.index("howler")
cdef int UNKNOWN_RINGBACK = KINDS.index("unknown_ringback")
cdef int SIT = KINDS.index("sit")


cdef inline bint _within(double value, float low, float high) noexcept nogil:
    return low <= value <= high


cdef inline double _off(double value, float low, float high) noexcept nogil:
    """Return how far a time is from the middle of its range, as a share of half the range."""
    return fabs(value - 0.5 * (low + high)) / (0.5 * (high - low))


cdef class CallProgressDetector:
    """Dial tone, ringback, busy, congestion, SIT and the other tones of one country's plan.

    ``CallProgressDetector(sample_rate_hz, plan)``: 8000, 16000 or 48000 and a plan of
    ``thirdring_dsp.tone_plans``; ``ValueError`` for another rate.

    Events (``DspEvent``): ``dial_tone``, ``special_dial_tone``, ``busy``, ``congestion``,
    ``number_unobtainable``, ``call_waiting``, ``howler`` and ``sit`` once, when the tone is certain, with
    the time heard so far; again only after the tone has stopped. ``ringback`` once a ring, ``value``
    being the count of rings of this run ("1", "2", ...) and the times its first onset and the end of its
    last burst: the first ring when 0.9 of its pause has passed, later ones when their last burst ends. A
    ring is a burst or the bursts up to a pause longer than 1.2 s (``tone_plans.explain_ring``).
    ``unknown_ringback``: for 6 s there was sound with neither the pauses of speech nor a tone of the plan,
    that is music; before the answer it is a colour ring. Told once, again after a pause or a tone. Speech
    in loud noise, 15 dB below it or more, sounds so too.
    Levels are those of the tone alone. Times are exact to a few milliseconds.
    """

    def __cinit__(self, int sample_rate_hz, plan not None):
        self.country_code = plan.country_code
        self._load(progress_table(plan))
        self.clear()

    def _load(self, table):
        """Copy the table into the structures that run without the GIL."""
        cdef int i, j
        cdef ToneSetSpec* spec
        memset(&self.bank, 0, sizeof(self.bank))
        if (
            len(table.frequencies_hz) > BANK_LINES_MAX or len(table.tone_sets) > SETS_MAX
            or len(table.sequences) > 32 or len(table.rings) > RINGS_MAX
            or len(table.continuous) > CONTINUOUS_MAX
        ):
            raise ValueError(f"the plan of {self.country_code} has more tones than fit")
        for i, hz in enumerate(table.frequencies_hz):
            bank_line(&self.bank, i, hz)
        self.bank.lines = len(table.frequencies_hz)
        self.bank.rows = 4 * ((2 * self.bank.lines + 3) // 4)
        self.bank.sets = len(table.tone_sets)
        for i, tone_set in enumerate(table.tone_sets):
            spec = &self.bank.spec[i]
            lines = np.array(tone_set.lines_hz)
            if len(lines) > 4:
                raise ValueError("a tone has more than four lines")
            spec.lines = len(lines)
            spec.carrier = tone_set.carrier
            # Correlation of two lines over the window, seen from its middle.
            spacing = (lines[:, None] - lines[None, :]) / 8000
            gram = np.sinc(spacing * 320) / np.sinc(spacing)
            inverse = np.linalg.inv(gram)
            for j in range(spec.lines):
                spec.line[j] = table.frequencies_hz.index(lines[j])
                spec.nominal_hz[j] = lines[j]
                spec.low_hz[j] = tone_set.low_hz[j]
                spec.high_hz[j] = tone_set.high_hz[j]
                for k in range(spec.lines):
                    spec.inverse[j][k] = inverse[j, k]
                    spec.gram[j][k] = gram[j, k]
            spec.resolved = spec.lines == 1 or np.diff(lines).min() >= 22.0
            spec.weakest = 0.0 if spec.lines == 1 else 0.05 if spec.carrier >= 0 else 0.24 / spec.lines
            tolerance_hz = tone_set.high_hz[0] - lines[0]
            spec.together = spec.lines == 2 and lines[1] - lines[0] < 40.0
            spec.reach_hz = tolerance_hz + 4.0
            spec.search_hz = 0.6 * tolerance_hz if spec.lines == 2 and tolerance_hz > 10.0 else 0.0
            for j in range(2):
                for k in range(spec.lines):
                    spec.aside[j].off_hz[k] = spec.search_hz if j else -spec.search_hz
                bank_tune(spec, &spec.aside[j])
        for i, sequence in enumerate(table.sequences):
            _load_sequence(&self.sequence[i], sequence)
        self.sequences = len(table.sequences)
        for i, sequence in enumerate(table.rings):
            _load_sequence(&self.ring[i], sequence)
        self.rings = len(table.rings)
        for i, (kind, number, after_s) in enumerate(table.continuous):
            self.continuous[i].kind = KINDS.index(kind)
            self.continuous[i].tone_set = number
            self.continuous[i].after_s = after_s
        self.continuous_count = len(table.continuous)

    cdef object told(self, const DetectorEvent* event):
        return dsp_event(EVENT_NAMES[event.kind], str(event.value) if event.value else "", event)

    cdef void clear(self) noexcept nogil:
        cdef int i
        self.clear_input()
        bank_clear(&self.bank)
        memset(self.tracker, 0, sizeof(self.tracker))
        memset(self.frame_power, 0, sizeof(self.frame_power))
        self.fill = 0
        for i in range(16):
            self.active_until_s[i] = -1.0
        self.tone_s = -1000.0
        self.music_told = False
        self.rings_heard = 0
        self.ring_start_s = self.ring_end_s = -1000.0

    cdef Py_ssize_t feed(self, const int16_t* block, Py_ssize_t count) noexcept nogil:
        """Take samples until all are taken or the caller should drain ``events``; return how many."""
        cdef int16_t decimated[FEED_MAX]
        cdef Py_ssize_t taken = 0
        cdef int part
        while taken < count and self.events.count <= DETECTOR_EVENTS_MAX - EVENTS_LEFT:
            if self.sample_rate_hz == 8000:
                part = <int>min(count - taken, <Py_ssize_t>(FRAME - self.fill))
                self.feed_8k(block + taken, part)
            else:
                part = <int>min(count - taken, <Py_ssize_t>FRAME)
                self.feed_8k(decimated, decimator_run(&self.decimator, block + taken, part, decimated))
            taken += part
        return taken

    cdef void feed_8k(self, const int16_t* block, int count) noexcept nogil:
        """Take at most a frame's worth of samples."""
        cdef int part = min(count, FRAME - self.fill)
        if part == FRAME:
            bank_frame(&self.bank, block)
            self.take_hop()
            return
        memcpy(self.held + self.fill, block, part * sizeof(int16_t))
        self.fill += part
        if self.fill == FRAME:
            bank_frame(&self.bank, self.held)
            self.take_hop()
            self.fill = count - part
            memcpy(self.held, block + part, self.fill * sizeof(int16_t))

    cdef void take_hop(self) noexcept nogil:
        cdef int i
        cdef float best = 0.0
        cdef int64_t hop = self.bank.frames - 1
        cdef float power = self.bank.energy[3] / FRAME
        self.frame_power[hop & 7] = power
        self.music_power[hop % MUSIC_FRAMES] = power
        self.music_db[hop % MUSIC_FRAMES] = 4.342945 * logf(power + 1.0)
        for i in range(self.bank.sets):
            best = max(best, self.bank.reading[i].share)
        self.bank.best = best
        for i in range(self.bank.sets):
            self.follow(i, best)
        if hop % 100 == 99 and hop >= MUSIC_FRAMES - 1:
            self.listen_for_music((hop + 1) * HOP_S)

    cdef void listen_for_music(self, double now_s) noexcept nogil:
        """Tell of sound that is neither a tone of the plan nor speech, once."""
        cdef int i, quiet = 0
        cdef float power = 0.0
        cdef double db = 0.0, squares = 0.0
        for i in range(MUSIC_FRAMES):
            power += self.music_power[i]
            db += self.music_db[i]
            squares += self.music_db[i] * self.music_db[i]
        power /= MUSIC_FRAMES
        for i in range(MUSIC_FRAMES):
            quiet += self.music_power[i] < QUIET_BELOW_MEAN * power
        if quiet > 4 * QUIET_FRAMES_MAX or power < MUSIC_POWER_MIN:
            self.music_told = False
        if (
            self.music_told or quiet > QUIET_FRAMES_MAX or power < MUSIC_POWER_MIN
            or self.tone_s > now_s - MUSIC_S
            or squares / MUSIC_FRAMES - (db / MUSIC_FRAMES) ** 2 < UNSTEADY_DB_MIN ** 2
        ):
            return
        for i in range(self.bank.sets):
            if self.tracker[i].on and self.tracker[i].interior > 20 and self.steady(i):
                return
        self.music_told = True
        self.emit(UNKNOWN_RINGBACK, 0, now_s - MUSIC_S, now_s, power)

    cdef void follow(self, int tone_set, float best) noexcept nogil:
        """Bring the burst of one tone set up to date with the newest reading."""
        cdef Tracker* t = &self.tracker[tone_set]
        cdef const ToneReading* r = &self.bank.reading[tone_set]
        cdef int64_t hop = self.bank.frames - 1
        cdef int64_t inner = hop - 3       # the newest reading that no edge has touched
        cdef double now_s = (hop + 1) * HOP_S
        cdef double power
        cdef int i
        # Behind another tone set by far: what it explains is that other tone's.
        cdef float heard = r.power if r.share >= best - SHARE_FAR_BEHIND else 0.0
        t.power[hop & RING_MASK] = heard
        t.rest[hop & RING_MASK] = r.rest
        if not t.on:
            if t.count > 0:
                if (hop - 6) * HOP_S > t.history[(t.count - 1) & HISTORY_MASK].end_s + WINDOW_S:
                    t.gap_energy += self.frame_power[(hop - 7) & 7]
                    t.gap_frames += 1
                if t.pending:
                    self.watch(tone_set, now_s)
            if r.share < SHARE_ON or r.share < best - SHARE_BEHIND or r.power < POWER_MIN:
                t.hot = 0
                return
            t.hot += 1
            if t.hot < 2:
                return
            t.on = True
            t.cold = 0
            t.trigger = hop - 1
            t.start_s = -1.0
            t.reported = False
            t.interior = 0
            t.power_sum = t.power_square_sum = t.power_slope_sum = t.rest_sum = 0.0
            t.level_sum = t.balance_sum = 0.0
            t.heard = 0
            t.loudest = r.power
            memset(t.step_re, 0, sizeof(t.step_re))
            memset(t.step_im, 0, sizeof(t.step_im))
            memset(t.step_norm, 0, sizeof(t.step_norm))
            return
        if r.share >= SHARE_ON:
            t.level_sum += r.level
            t.balance_sum += r.balance
            t.heard += 1
        if r.share >= SHARE_OFF:
            for i in range(self.bank.spec[tone_set].lines):
                t.step_re[i] += r.step_re[i]
                t.step_im[i] += r.step_im[i]
                t.step_norm[i] += sqrtf(r.step_re[i] * r.step_re[i] + r.step_im[i] * r.step_im[i])
        t.loudest = max(t.loudest, r.power)
        if inner >= t.trigger + 2:
            power = t.power[inner & RING_MASK]
            t.power_slope_sum += power * t.interior
            t.interior += 1
            t.power_sum += power
            t.power_square_sum += power * power
            t.rest_sum += t.rest[inner & RING_MASK]
        if hop == t.trigger + 8:
            t.start_s = self.edge_s(
                tone_set, t.trigger - 6, hop, False, <float>(t.power_sum / t.interior)
            )
        power = t.power_sum / t.interior if t.interior > 0 else t.loudest
        if heard < (EDGE_POWER if self.bank.spec[tone_set].resolved else EDGE_POWER_BEATING) * power:
            self.end_burst(tone_set)
            return
        t.cold = t.cold + 1 if r.share < SHARE_OFF else 0
        if t.cold >= 3:
            self.end_burst(tone_set)
            return
        if not t.reported and t.start_s >= 0.0 and hop & 15 == 0:
            for i in range(self.continuous_count):
                if (
                    self.continuous[i].tone_set == tone_set
                    and now_s - WINDOW_S - t.start_s >= self.continuous[i].after_s
                    and self.steady(tone_set)
                ):
                    t.reported = True
                    if t.start_s > self.active_until_s[self.continuous[i].kind]:
                        self.emit(
                            self.continuous[i].kind, 0, t.start_s, now_s, <float>(t.level_sum / t.heard)
                        )
                    self.active_until_s[self.continuous[i].kind] = now_s + 0.5

    cdef bint steady(self, int tone_set) noexcept nogil:
        """Whether the burst is of one frequency, within tolerance, and of one level."""
        cdef Tracker* t = &self.tracker[tone_set]
        cdef const ToneSetSpec* spec = &self.bank.spec[tone_set]
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
            if norm < COHERENCE_MIN * t.step_norm[i]:
                return False
            hz = spec.nominal_hz[place] + atan2(t.step_im[i], t.step_re[i]) / (2.0 * M_PI * HOP_S)
            if not _within(
                hz,
                <float>(spec.low_hz[place] - FREQUENCY_SLACK_HZ),
                <float>(spec.high_hz[place] + FREQUENCY_SLACK_HZ),
            ):
                return False
        if n < 4 or not spec.resolved or spec.carrier >= 0:
            return True
        mean = t.power_sum / n
        if t.power_square_sum / n > (1.0 + LEVEL_VARIANCE_MAX) * mean * mean:
            return t.reported or self._is_howler(tone_set)
        # Slope of the level by least squares, times the burst's length.
        drift = 12.0 * (t.power_slope_sum - 0.5 * (n - 1.0) * t.power_sum) / (n * n * mean)
        return n < 12 or fabs(drift) <= LEVEL_DRIFT_MAX + LEVEL_DRIFT_NOISE / n or self._is_howler(tone_set)

    cdef bint _is_howler(self, int tone_set) noexcept nogil:
        """Whether a continuous howler uses the tone set: its level rises in steps."""
        cdef int i
        for i in range(self.continuous_count):
            if self.continuous[i].tone_set == tone_set and self.continuous[i].kind == HOWLER:
                return True
        return False

    cdef double edge_s(
        self, int tone_set, int64_t first, int64_t last, bint falling, float plateau
    ) noexcept nogil:
        """Return when the amplitude passed half the plateau between two hops."""
        cdef const float* power = self.tracker[tone_set].power
        cdef float half = 0.5 * sqrtf(plateau)
        cdef float before, after
        cdef int64_t hop
        first = max(first, 0)
        if falling:
            hop = last
            while hop > first and sqrtf(power[(hop - 1) & RING_MASK]) < half:
                hop -= 1
        else:
            hop = min(first + 9, last)
            while hop < last and sqrtf(power[hop & RING_MASK]) < half:
                hop += 1
            while hop > first and sqrtf(power[(hop - 1) & RING_MASK]) >= half:
                hop -= 1
        before = sqrtf(power[(hop - 1) & RING_MASK]) if hop > 0 else 0.0
        after = sqrtf(power[hop & RING_MASK])
        # A reading belongs to the middle of its window.
        if after == before or hop == first:
            return max(0.0, (hop + 1) * HOP_S - 0.5 * WINDOW_S)
        return max(0.0, (hop + (half - before) / (after - before)) * HOP_S - 0.5 * WINDOW_S)

    cdef void end_burst(self, int tone_set) noexcept nogil:
        """Close the burst, keep it, and see what it completes."""
        cdef Tracker* t = &self.tracker[tone_set]
        cdef int64_t hop = self.bank.frames - 1
        cdef float plateau = <float>(t.power_sum / t.interior) if t.interior > 0 else t.loudest
        cdef BurstRecord* record = &t.history[t.count & HISTORY_MASK]
        cdef BurstRecord first
        cdef int i, best = -1
        cdef double off, least = INFINITY
        t.on = False
        t.hot = 0
        if t.start_s < 0.0:
            t.start_s = self.edge_s(tone_set, t.trigger - 6, hop, False, plateau)
        record.start_s = t.start_s
        record.end_s = self.edge_s(tone_set, max(t.trigger, hop - 12), hop, True, plateau)
        if t.count > 0 and record.start_s < t.history[(t.count - 1) & HISTORY_MASK].end_s:
            return      # the last ripple of a slowly modulated tone
        if record.end_s - record.start_s < (0.015 if self.bank.spec[tone_set].resolved else 0.07):
            return
        record.power = <float>(t.level_sum / t.heard) if t.heard > 0 else plateau
        record.rest = <float>(t.rest_sum / t.interior) if t.interior > 0 else -1.0
        record.gap_power = <float>(t.gap_energy / t.gap_frames) if t.gap_frames >= 5 else -1.0
        record.good = self.steady(tone_set)
        t.gap_energy = 0.0
        t.gap_frames = 0
        t.pending = 0
        t.count += 1
        if not record.good:
            return
        if record.end_s - record.start_s > 0.08:
            self.tone_s = record.end_s
        for i in range(self.sequences):
            if self.sequence[i].burst[self.sequence[i].bursts - 1].tone_set != tone_set:
                continue
            off = self.match(&self.sequence[i], &first)
            if off < least:
                least = off
                best = i
        if best >= 0:
            self.match(&self.sequence[best], &first)
            i = self.sequence[best].kind
            if first.end_s > self.active_until_s[i]:
                self.emit(i, 0, first.start_s, record.end_s, record.power)
            off = 2.5
            for j in range(1, self.sequence[best].bursts):
                off = max(off, 1.2 * self.sequence[best].burst[j].gap_high_s)
            self.active_until_s[i] = record.end_s + off
        self.match_rings(tone_set)

    cdef double match(self, const SequenceSpec* spec, BurstRecord* first) noexcept nogil:
        """Return how well the last bursts fit (smaller is better, infinite is not), and the first one."""
        cdef int j, tone_set, before = -1
        cdef int64_t place = 0
        cdef const Tracker* t
        cdef const BurstRecord* b
        cdef const BurstRecord* later = NULL
        cdef double off = 0.0, gap_s
        for j in range(spec.bursts - 1, -1, -1):
            tone_set = spec.burst[j].tone_set
            t = &self.tracker[tone_set]
            if tone_set == before:
                place -= 1
            else:
                place = t.count - 1
                while (
                    later != NULL and place >= 0 and place > t.count - HISTORY
                    and t.history[place & HISTORY_MASK].start_s >= later.start_s
                ):
                    place -= 1
            if spec.kind == CALL_WAITING and later != NULL:
                place = self.skip_speech(tone_set, place)
            if place < 0 or place <= t.count - HISTORY:
                return INFINITY
            b = &t.history[place & HISTORY_MASK]
            gap_s = b.end_s - b.start_s
            if not b.good or not _within(gap_s, spec.burst[j].on_low_s, spec.burst[j].on_high_s):
                return INFINITY
            off += _off(gap_s, spec.burst[j].on_low_s, spec.burst[j].on_high_s)
            if later != NULL:
                gap_s = later.start_s - b.end_s
                if not _within(gap_s, spec.burst[j + 1].gap_low_s, spec.burst[j + 1].gap_high_s):
                    return INFINITY
                off += _off(gap_s, spec.burst[j + 1].gap_low_s, spec.burst[j + 1].gap_high_s)
                if tone_set == before and not _same_beside(b, later) and (
                    # Speech may go on between the bursts of call waiting, if they are clean.
                    spec.kind != CALL_WAITING or b.rest > IN_SPEECH_REST * b.power
                ):
                    return INFINITY
                if b.power > 2.0 * later.power or later.power > 2.0 * b.power:
                    if spec.kind != SIT:
                        return INFINITY
            later = b
            before = tone_set
        first[0] = later[0]
        return off / spec.bursts

    cdef int64_t skip_speech(self, int tone_set, int64_t place) noexcept nogil:
        """Return the last burst up to ``place`` that was steady: others may be speech."""
        cdef const Tracker* t = &self.tracker[tone_set]
        cdef const BurstRecord* b
        while place >= 0 and place > t.count - HISTORY:
            b = &t.history[place & HISTORY_MASK]
            if b.good:
                break
            place -= 1
        return place

    cdef void match_rings(self, int tone_set) noexcept nogil:
        """Count a ring, or let it wait for its pause if it is the first."""
        cdef Tracker* t = &self.tracker[tone_set]
        cdef const BurstRecord* last = &t.history[(t.count - 1) & HISTORY_MASK]
        cdef const BurstRecord* earlier
        cdef BurstRecord first
        cdef int i, best = -1
        cdef double off, least = INFINITY
        for i in range(self.rings):
            if self.ring[i].burst[self.ring[i].bursts - 1].tone_set != tone_set:
                continue
            off = self.match(&self.ring[i], &first)
            if off < least:
                least = off
                best = i
        if best < 0:
            return
        self.match(&self.ring[best], &first)
        if self.rings_heard > 0 and self.is_ring_pause(first.start_s - self.ring_end_s):
            self.count_ring(first.start_s, last.end_s, last.power)
            return
        if first.start_s < self.ring_end_s:
            return      # the same ring, seen by another tone set
        t.pending = 0
        t.pending_extra = False
        i = <int>(t.count - 1 - self.ring[best].bursts)
        if i >= 0 and i > t.count - HISTORY:
            earlier = &t.history[i & HISTORY_MASK]
            t.pending_extra = (
                earlier.good and self.is_ring_pause(first.start_s - earlier.end_s)
                and CUT_BURST_S < earlier.end_s - earlier.start_s < self.ring[best].burst[0].on_high_s
                and earlier.end_s > self.ring_end_s
                # Not the last of several.
                and (i == 0 or earlier.start_s - t.history[(i - 1) & HISTORY_MASK].end_s > RING_GAP_S)
            )
        if self.ring[best].confirms or t.pending_extra:
            t.pending = 1 + best
            t.pending_start_s = first.start_s

    cdef void watch(self, int tone_set, double now_s) noexcept nogil:
        """Count the waiting ring when its pause has lasted long enough and was quiet."""
        cdef Tracker* t = &self.tracker[tone_set]
        cdef const BurstRecord* last = &t.history[(t.count - 1) & HISTORY_MASK]
        cdef const BurstRecord* earlier
        cdef const SequenceSpec* spec = &self.ring[t.pending - 1]
        cdef float quiet
        if now_s - last.end_s < spec.pause_low_s:
            return
        t.pending = 0
        quiet = <float>(t.gap_energy / max(1, t.gap_frames))
        if not _same_power(last, quiet) or t.pending_start_s < self.ring_end_s:
            return
        self.rings_heard = 0
        if t.pending_extra:
            earlier = &t.history[(t.count - 1 - spec.bursts) & HISTORY_MASK]
            self.count_ring(earlier.start_s, earlier.end_s, earlier.power)
        self.count_ring(t.pending_start_s, last.end_s, last.power)

    cdef bint is_ring_pause(self, double pause_s) noexcept nogil:
        cdef int i
        for i in range(self.rings):
            if _within(pause_s, self.ring[i].pause_low_s, self.ring[i].pause_high_s):
                return True
        return False

    cdef void count_ring(self, double start_s, double end_s, float power) noexcept nogil:
        self.rings_heard += 1
        self.ring_start_s = start_s
        self.ring_end_s = end_s
        self.emit(RINGBACK, self.rings_heard, start_s, end_s, power)

    cdef void emit(
        self, int kind, int value, double start_s, double end_s, float power
    ) noexcept nogil:
        cdef DetectorEvent* event = &self.events.items[self.events.count]
        if self.events.count >= DETECTOR_EVENTS_MAX:
            return
        self.events.count += 1
        event.kind = kind
        event.value = value
        event.start_s = start_s
        event.end_s = end_s
        event.level_dbov = <float>(10.0 * log10(power / OVERLOAD_POWER))
        event.level_dbm0 = <float>(10.0 * log10(power / DBM0_POWER))


cdef inline bint _same_power(const BurstRecord* burst, float gap_power) noexcept nogil:
    """Whether a gap sounds like what was heard beside the tone of a burst."""
    if burst.rest < 0.0 or gap_power < 0.0:
        return True
    return (
        gap_power <= GAP_OVER_REST * burst.rest + GAP_OVER_TONE * burst.power
        and burst.rest <= REST_OVER_GAP * gap_power + REST_OVER_TONE * burst.power
    )


cdef inline bint _same_beside(const BurstRecord* a, const BurstRecord* b) noexcept nogil:
    """The same for the gap between two bursts."""
    return _same_power(a, b.gap_power) and _same_power(b, b.gap_power)


cdef int _load_sequence(SequenceSpec* spec, sequence) except -1:
    cdef int i
    if len(sequence.bursts) > 10:
        raise ValueError("a sequence has more than ten bursts")
    spec.kind = KINDS.index(sequence.kind)
    spec.bursts = len(sequence.bursts)
    spec.confirms = sequence.confirms
    spec.pause_low_s, spec.pause_high_s = sequence.pause_s
    for i, burst in enumerate(sequence.bursts):
        spec.burst[i].tone_set = burst.tone_set
        spec.burst[i].on_low_s, spec.burst[i].on_high_s = burst.on_s
        spec.burst[i].gap_low_s, spec.burst[i].gap_high_s = burst.gap_s
    return 0

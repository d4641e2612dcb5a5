"""Call progress tones of a national plan (ITU-T E.180, E.182 and Supplement 2 of the E.180 series).

``_tone_sets`` says every 10 ms how much of the last 40 ms each tone of the plan explains. Here that
becomes bursts: a tone is on from where its amplitude passes half its plateau to where it falls below,
which is its own length although the window is longer, at any signal-to-noise ratio. A burst counts only
if it was steady in frequency and in level, and within the plan's tolerance. Sequences of bursts and
gaps then tell the tones apart; what is heard beside the tone during a burst must be what is heard in
the gap, because the network plays nothing else: music and speech fail that.
"""

from libc.math cimport INFINITY, ceil, fabs, log10, sqrtf
from libc.stdint cimport int16_t, int64_t
from libc.string cimport memcpy, memset

from thirdring_dsp._bases cimport dsp_event
from thirdring_dsp._bursts cimport (
    HISTORY, HISTORY_MASK, HOPS_MASK, BurstRecord, Tracker, burst_edge_s, burst_is_steady, same_beside,
    same_power,
)
from thirdring_dsp._decimator cimport decimator_run
from thirdring_dsp._detector_event cimport DETECTOR_EVENTS_MAX, DetectorEvent
from thirdring_dsp._music cimport MUSIC_FRAMES, music_heard, music_take, music_tone
from thirdring_dsp._progress_load cimport SequenceSpec, load_bank, load_tones
from thirdring_dsp._tone_sets cimport FRAME, ToneReading, bank_clear, bank_frame

from thirdring_dsp.progress_table import EVENT_KINDS, progress_table

cdef enum:
    FEED_MAX = 192
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
cdef float IN_SPEECH_REST = 0.33
cdef double RING_GAP_S = 1.2
# At the edges of two tones near each other a neighbouring pair explains more for a moment, which tears off
# so much of the burst at most, with so short a gap.
cdef double TORN_S = 0.03
cdef double TORN_GAP_S = 0.02
cdef double CUT_BURST_S = 0.2     # a ring cut short by the start of the stream shows at least this
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
        table = progress_table(plan)
        load_bank(&self.bank, table)
        load_tones(&self.tones, table, KINDS)
        for kind, number, _ in table.continuous:
            if kind == "howler":
                self.howls[<int>number] = True
        self.clear()

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
        memset(&self.music, 0, sizeof(self.music))
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
        music_take(&self.music, hop, power)
        for i in range(self.bank.sets):
            best = max(best, self.bank.reading[i].share)
        self.bank.best = best
        for i in range(self.bank.sets):
            if self.tracker[i].on:
                self.follow(i, best)
            else:
                self.wait(i, best)
        if hop % 100 == 99 and hop >= MUSIC_FRAMES - 1:
            self.listen_for_music((hop + 1) * HOP_S)

    cdef void listen_for_music(self, double now_s) noexcept nogil:
        """Tell of sound that is neither a tone of the plan nor speech, once."""
        cdef int i
        cdef float power
        if not music_heard(&self.music, self.bank.frames - 1, &power):
            return
        for i in range(self.bank.sets):
            if self.tracker[i].on and self.tracker[i].interior > 20 and self.steady(i):
                return
        self.music.told = True
        self.emit(UNKNOWN_RINGBACK, 0, now_s - MUSIC_S, now_s, power)

    cdef inline bint steady(self, int tone_set) noexcept nogil:
        return burst_is_steady(&self.tracker[tone_set], &self.bank.spec[tone_set], self.howls[tone_set])

    cdef inline void wait(self, int tone_set, float best) noexcept nogil:
        """Look for the start of a burst of one tone set in the newest reading."""
        cdef Tracker* t = &self.tracker[tone_set]
        cdef const ToneReading* r = &self.bank.reading[tone_set]
        cdef int64_t hop = self.bank.frames - 1
        t.power[hop & HOPS_MASK] = r.power if r.share >= best - SHARE_FAR_BEHIND else <float>0.0
        t.rest[hop & HOPS_MASK] = r.rest
        if t.count > 0:
            # Of the hop that ended 70 ms ago: no edge has touched it.
            if hop >= t.gap_from_hop:
                t.gap_energy += self.frame_power[(hop - 7) & 7]
                t.gap_frames += 1
            if t.pending:
                self.watch(tone_set, (hop + 1) * HOP_S)
        if r.share < SHARE_ON or r.share < best - SHARE_BEHIND or r.power < POWER_MIN:
            t.hot = 0
            return
        t.hot += 1
        if t.hot >= 2:
            self.begin_burst(t, hop - 1, r.power)

    cdef void begin_burst(self, Tracker* t, int64_t trigger, float power) noexcept nogil:
        """Begin a burst that was noticed at a hop."""
        t.on = True
        t.cold = 0
        t.trigger = trigger
        t.start_s = -1.0
        t.reported = False
        t.interior = 0
        t.power_sum = t.power_square_sum = t.power_slope_sum = t.rest_sum = 0.0
        t.level_sum = t.balance_sum = 0.0
        t.heard = 0
        t.loudest = power
        memset(t.step_re, 0, sizeof(t.step_re))
        memset(t.step_im, 0, sizeof(t.step_im))
        memset(t.step_norm, 0, sizeof(t.step_norm))

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
        t.power[hop & HOPS_MASK] = heard
        t.rest[hop & HOPS_MASK] = r.rest
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
            power = t.power[inner & HOPS_MASK]
            t.power_slope_sum += power * t.interior
            t.interior += 1
            t.power_sum += power
            t.power_square_sum += power * power
            t.rest_sum += t.rest[inner & HOPS_MASK]
        if hop == t.trigger + 8:
            t.start_s = burst_edge_s(
                t.power, t.trigger - 6, hop, False, <float>(t.power_sum / t.interior)
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
            for i in range(self.tones.continuous_count):
                if (
                    self.tones.continuous[i].tone_set == tone_set
                    and now_s - WINDOW_S - t.start_s >= self.tones.continuous[i].after_s
                    and self.steady(tone_set)
                ):
                    t.reported = True
                    if t.start_s > self.active_until_s[self.tones.continuous[i].kind]:
                        self.emit(
                            self.tones.continuous[i].kind, 0, t.start_s, now_s, <float>(t.level_sum / t.heard)
                        )
                    self.active_until_s[self.tones.continuous[i].kind] = now_s + 0.5

    cdef void end_burst(self, int tone_set) noexcept nogil:
        """Close the burst, keep it, and see what it completes."""
        cdef Tracker* t = &self.tracker[tone_set]
        cdef int64_t hop = self.bank.frames - 1
        cdef float plateau = <float>(t.power_sum / t.interior) if t.interior > 0 else t.loudest
        cdef BurstRecord* record = &t.history[t.count & HISTORY_MASK]
        cdef BurstRecord* last = &t.history[(t.count - 1) & HISTORY_MASK]
        cdef BurstRecord first
        cdef bint torn
        cdef int i, best = -1
        cdef double off, least = INFINITY
        t.on = False
        t.hot = 0
        if t.start_s < 0.0:
            t.start_s = burst_edge_s(t.power, t.trigger - 6, hop, False, plateau)
        record.start_s = t.start_s
        record.end_s = burst_edge_s(t.power, max(t.trigger, hop - 12), hop, True, plateau)
        if t.count > 0 and record.start_s < last.end_s:
            return      # the last ripple of a slowly modulated tone
        torn = t.count > 0 and record.start_s - last.end_s < TORN_GAP_S
        if torn and record.end_s - record.start_s < TORN_S:
            return
        if record.end_s - record.start_s < (0.015 if self.bank.spec[tone_set].resolved else 0.07):
            return
        t.gap_from_hop = <int64_t>ceil((record.end_s + WINDOW_S) / HOP_S) + 6
        record.power = <float>(t.level_sum / t.heard) if t.heard > 0 else plateau
        record.rest = <float>(t.rest_sum / t.interior) if t.interior > 0 else -1.0
        record.gap_power = <float>(t.gap_energy / t.gap_frames) if t.gap_frames >= 5 else -1.0
        record.good = self.steady(tone_set)
        if torn and last.end_s - last.start_s < TORN_S:
            record.start_s = last.start_s
            record.gap_power = last.gap_power
            last[0] = record[0]
            record = last
            t.count -= 1
        t.gap_energy = 0.0
        t.gap_frames = 0
        t.pending = 0
        t.count += 1
        if not record.good:
            return
        if record.end_s - record.start_s > 0.06:
            music_tone(
                &self.music, <int64_t>(record.start_s / HOP_S), <int64_t>(record.end_s / HOP_S), hop
            )
        for i in range(self.tones.sequences):
            if self.tones.sequence[i].burst[self.tones.sequence[i].bursts - 1].tone_set != tone_set:
                continue
            off = self.match(&self.tones.sequence[i], &first)
            if off < least:
                least = off
                best = i
        if best >= 0:
            self.match(&self.tones.sequence[best], &first)
            i = self.tones.sequence[best].kind
            if first.end_s > self.active_until_s[i]:
                self.emit(i, 0, first.start_s, record.end_s, record.power)
            off = 2.5
            for j in range(1, self.tones.sequence[best].bursts):
                off = max(off, 1.2 * self.tones.sequence[best].burst[j].gap_high_s)
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
                if tone_set == before and not same_beside(b, later) and (
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
        for i in range(self.tones.rings):
            if self.tones.ring[i].burst[self.tones.ring[i].bursts - 1].tone_set != tone_set:
                continue
            off = self.match(&self.tones.ring[i], &first)
            if off < least:
                least = off
                best = i
        if best < 0:
            return
        self.match(&self.tones.ring[best], &first)
        if self.rings_heard > 0 and self.is_ring_pause(first.start_s - self.ring_end_s):
            self.count_ring(first.start_s, last.end_s, last.power)
            return
        if first.start_s < self.ring_end_s:
            return      # the same ring, seen by another tone set
        t.pending = 0
        t.pending_extra = False
        i = <int>(t.count - 1 - self.tones.ring[best].bursts)
        if i >= 0 and i > t.count - HISTORY:
            earlier = &t.history[i & HISTORY_MASK]
            t.pending_extra = (
                earlier.good and self.is_ring_pause(first.start_s - earlier.end_s)
                and CUT_BURST_S < earlier.end_s - earlier.start_s < self.tones.ring[best].burst[0].on_high_s
                and earlier.end_s > self.ring_end_s
                # Not the last of several.
                and (i == 0 or earlier.start_s - t.history[(i - 1) & HISTORY_MASK].end_s > RING_GAP_S)
            )
        if self.tones.ring[best].confirms or t.pending_extra:
            t.pending = 1 + best
            t.pending_start_s = first.start_s

    cdef void watch(self, int tone_set, double now_s) noexcept nogil:
        """Count the waiting ring when its pause has lasted long enough and was quiet."""
        cdef Tracker* t = &self.tracker[tone_set]
        cdef const BurstRecord* last = &t.history[(t.count - 1) & HISTORY_MASK]
        cdef const BurstRecord* earlier
        cdef const SequenceSpec* spec = &self.tones.ring[t.pending - 1]
        cdef float quiet
        if now_s - last.end_s < spec.pause_low_s:
            return
        t.pending = 0
        quiet = <float>(t.gap_energy / max(1, t.gap_frames))
        if not same_power(last, quiet) or t.pending_start_s < self.ring_end_s:
            return
        self.rings_heard = 0
        if t.pending_extra:
            earlier = &t.history[(t.count - 1 - spec.bursts) & HISTORY_MASK]
            self.count_ring(earlier.start_s, earlier.end_s, earlier.power)
        self.count_ring(t.pending_start_s, last.end_s, last.power)

    cdef bint is_ring_pause(self, double pause_s) noexcept nogil:
        cdef int i
        for i in range(self.tones.rings):
            if _within(pause_s, self.tones.ring[i].pause_low_s, self.tones.ring[i].pause_high_s):
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

# cython: language_level=3
"""Voice activity: when somebody talks, and not when music, tones or noise are heard."""

from libc.math cimport INFINITY, log10, sqrt
from libc.string cimport memmove, memset

from thirdring_dsp.events import DspEvent
from thirdring_dsp.narrowband cimport (
    narrowband_delay_s, narrowband_init, narrowband_reset, narrowband_run,
)
from thirdring_dsp.spectrum cimport power_spectrum, thirdring_ln, thirdring_tanh

cdef extern from "thirdring_dsp/vad_weights.h" nogil:
    const float VAD_INPUT[INPUTS][3 * UNITS]
    const float VAD_RECURRENT[UNITS][3 * UNITS]
    const float VAD_BIAS[3 * UNITS]
    const float VAD_CANDIDATE_BIAS[UNITS]
    const float VAD_OUTPUT[UNITS]
    const float VAD_OUTPUT_BIAS

# Bands of about a third of an octave, 94 to 3375 Hz, as bins of 31.25 Hz.
cdef int* EDGES = [3, 6, 9, 12, 16, 20, 25, 31, 38, 47, 58, 71, 88, 108]
cdef int* RANGES = [6, 26, 58, 108]
cdef float FLOOR_POWER = 4.94106e-11  # white noise at -85 dBov a bin: hides digital silence
cdef float FLOOR_RISE = 0.015         # nepers of power a hop: 4 dB/s
cdef float FLOOR_FALL = 0.3
cdef float LOUDEST_FALL = 0.004       # 1 dB/s
cdef float LOUDEST_LEAST = -16.0
cdef float LOUDEST_FIRST = -12.0

cdef int LOOK_AHEAD = 4               # hops the network is trained to wait before it answers
cdef float EVIDENCE_MOST = 3.0        # of one hop, log odds
cdef float EVIDENCE_START = 6.0       # summed log odds that begin a talk-spurt
cdef float LOGIT_HOLD = -0.4          # a hop above this keeps the talk-spurt going
cdef int HANGOVER_HOPS = 13           # 208 ms: ITU-T P.59 counts pauses from 200 ms on


cdef class VoiceActivityDetector:
    """Tell talk-spurts apart from pauses, noise, tones and music.

    A small recurrent network looks at 32 ms of signal every 16 ms: band levels above a tracked
    noise floor, the spectrum's shape, its tonality, and how long its partials stand still (music
    holds them, speech glides). Talk-spurts and pauses are those of ITU-T P.59: pauses under
    200 ms do not end a talk-spurt.

    Events: ``talk_spurt_start`` (``start_s`` is the onset; reported about 150 ms after it) and
    ``talk_spurt`` (``start_s``, ``end_s``, ``level_dbov`` the mean level from start to end in the
    telephone band), reported about 300 ms after its end.

    Raises ``ValueError`` for a sample rate other than 8000, 16000 or 48000.
    """

    def __cinit__(self, int sample_rate_hz):
        if sample_rate_hz not in (8000, 16000, 48000):
            raise ValueError(f"sample_rate_hz must be 8000, 16000 or 48000, not {sample_rate_hz}")
        self.sample_rate_hz = sample_rate_hz
        narrowband_init(&self.narrowband, sample_rate_hz)
        self.delay_s = narrowband_delay_s(&self.narrowband)
        self._clear()

    def reset(self):
        """Forget the signal: the next sample is at 0 s."""
        self._clear()

    @property
    def active(self):
        """Whether a talk-spurt is going on."""
        return self.talking

    @property
    def speech_probability(self):
        """How sure the network is, 0 to 1, that there was speech 80 ms ago."""
        return 0.5 + 0.5 * thirdring_tanh(0.5 * self.speech_logit)

    def update(self, const short[::1] block not None):
        """Take the next samples (int16, any number) and return what ended or began in them."""
        cdef TalkMark mark
        cdef Py_ssize_t at = 0, count = block.shape[0]
        cdef list events = []
        while at < count:
            with nogil:
                at += self.advance(&block[at], count - at, &mark)
            if mark.kind == MARK_START:
                events.append(DspEvent("talk_spurt_start", "", mark.start_s, mark.start_s))
            elif mark.kind == MARK_END:
                events.append(
                    DspEvent("talk_spurt", "", mark.start_s, mark.end_s, mark.level_dbov))
        return events

    cdef void _clear(self) noexcept nogil:
        narrowband_reset(&self.narrowband)
        memset(self.frame, 0, sizeof(self.frame))
        memset(self.fine, 0, sizeof(self.fine))
        memset(self.fine_power, 0, sizeof(self.fine_power))
        memset(self.hidden, 0, sizeof(self.hidden))
        memset(self.energy, 0, sizeof(self.energy))
        self.filled = 0
        self.frames = 0
        self.loudest = LOUDEST_FIRST
        self.last_total = 0
        self.speech_logit = -INFINITY
        self.energy_total = 0
        self.evidence = 0
        self.onset = self.last_speech = self.decided = 0
        self.talking = False

    cdef Py_ssize_t advance(
        self, const short* samples, Py_ssize_t count, TalkMark* mark
    ) noexcept nogil:
        """Take samples, at most up to the end of a frame; return how many were taken.

        Frames end every 16 ms of signal wherever blocks end, so two detectors that are given as
        many samples stay in step.
        """
        cdef Py_ssize_t taken = 0, used
        mark.kind = MARK_NONE
        while taken < count:
            self.filled += narrowband_run(
                &self.narrowband, samples + taken, count - taken,
                self.frame + self.filled, FRAME - self.filled, &used)
            taken += used
            if self.filled == FRAME:
                self._features()
                self._network()
                self._decide(mark)
                memmove(self.frame, self.frame + HALF, HALF * sizeof(float))
                self.filled = HALF
                self.frames += 1
                break
        return taken

    cdef double seconds(self, long long half_hops) noexcept nogil:
        """Return the time of a position in the signal that came in."""
        return max(half_hops / 125.0 - self.delay_s, 0.0)

    cdef void _features(self) noexcept nogil:
        """Write the network's inputs for the full frame."""
        cdef float[BINS] power, logs
        cdef float[BANDS] level
        cdef float total = 0, mean = 0, flat, rough, dot, window
        cdef int k, b, lag
        cdef float* inputs = self.inputs
        cdef float* now = self.fine[self.frames % 3]
        cdef float* now_power = self.fine_power[self.frames % 3]
        cdef float* then
        power_spectrum(self.frame, power)
        for k in range(BINS):
            power[k] += FLOOR_POWER
        for k in range(BINS):
            logs[k] = thirdring_ln(power[k])
        for b in range(BANDS):
            rough = 0
            for k in range(EDGES[b], EDGES[b + 1]):
                rough += power[k]
            level[b] = thirdring_ln(rough / (EDGES[b + 1] - EDGES[b]))
            mean += level[b]
        mean /= BANDS
        # Tonality and total.
        for b in range(3):
            rough = 0
            flat = 0
            for k in range(RANGES[b], RANGES[b + 1]):
                rough += power[k]
                flat += logs[k]
            total += rough
            inputs[2 * BANDS + 2 + b] = (
                thirdring_ln(rough / (RANGES[b + 1] - RANGES[b]))
                - flat / (RANGES[b + 1] - RANGES[b]) - <float>0.56)
        total = thirdring_ln(total / (RANGES[3] - RANGES[0]))
        if self.frames == 0:
            for b in range(BANDS):
                self.floor[b] = level[b]
            self.floor_total = total
        for b in range(BANDS):
            self.floor[b] = _follow(self.floor[b], level[b])
            inputs[b] = min(<float>0.25 * (level[b] - self.floor[b]), <float>3.0)
            inputs[BANDS + b] = <float>0.25 * (level[b] - mean)
        self.floor_total = _follow(self.floor_total, total)
        self.loudest = max(max(total, self.loudest - LOUDEST_FALL), LOUDEST_LEAST)
        inputs[2 * BANDS] = min(<float>0.25 * (total - self.floor_total), <float>3.0)
        inputs[2 * BANDS + 1] = <float>0.25 * (total - self.loudest)
        # Do the partials stand still? Fine structure against that of one and two hops ago.
        window = 0
        for k in range(RANGES[0] - 3, RANGES[0] + 3):
            window += logs[k]
        for k in range(RANGES[0], RANGES[3]):
            window += logs[k + 3]
            now[k] = logs[k] - window * <float>(1.0 / 7.0)
            window -= logs[k - 3]
        for b in range(3):
            now_power[b] = _dot(now, now, RANGES[b], RANGES[b + 1])
        for lag in range(1, 3):
            then = self.fine[(self.frames + 3 - lag) % 3]
            for b in range(3):
                dot = 0
                if self.frames >= lag:
                    dot = _dot(now, then, RANGES[b], RANGES[b + 1]) / <float>sqrt(
                        now_power[b] * self.fine_power[(self.frames + 3 - lag) % 3][b]
                        + <float>1e-3)
                inputs[2 * BANDS + 5 + 3 * (lag - 1) + b] = dot
        for k in range(2 * BANDS + 11, INPUTS):
            inputs[k] = 0

    cdef void _network(self) noexcept nogil:
        """One step of the gated recurrent unit."""
        cdef float[3 * UNITS] driven, fed
        cdef const float* inputs = self.inputs
        cdef int i, j
        cdef float a, b, c, d, gate
        for j in range(3 * UNITS):
            driven[j] = VAD_BIAS[j]
            fed[j] = 0
        for i in range(0, INPUTS, 4):
            a = inputs[i]; b = inputs[i + 1]; c = inputs[i + 2]; d = inputs[i + 3]
            for j in range(3 * UNITS):
                driven[j] += (a * VAD_INPUT[i][j] + b * VAD_INPUT[i + 1][j]) + (
                    c * VAD_INPUT[i + 2][j] + d * VAD_INPUT[i + 3][j])
        for i in range(0, UNITS, 4):
            a = self.hidden[i]; b = self.hidden[i + 1]
            c = self.hidden[i + 2]; d = self.hidden[i + 3]
            for j in range(3 * UNITS):
                fed[j] += (a * VAD_RECURRENT[i][j] + b * VAD_RECURRENT[i + 1][j]) + (
                    c * VAD_RECURRENT[i + 2][j] + d * VAD_RECURRENT[i + 3][j])
        for j in range(2 * UNITS):
            driven[j] = <float>0.5 + <float>0.5 * thirdring_tanh(
                <float>0.5 * (driven[j] + fed[j]))
        for j in range(UNITS):
            fed[j] = thirdring_tanh(
                driven[2 * UNITS + j] + driven[j] * (fed[2 * UNITS + j] + VAD_CANDIDATE_BIAS[j]))
        a = VAD_OUTPUT_BIAS
        for j in range(UNITS):
            gate = driven[UNITS + j]
            self.hidden[j] += gate * (fed[j] - self.hidden[j])
            a += self.hidden[j] * VAD_OUTPUT[j]
        self.speech_logit = a

    cdef void _decide(self, TalkMark* mark) noexcept nogil:
        """Turn the network's answer for the frame ``LOOK_AHEAD`` hops ago into marks.

        Positions are half hops (64 samples at 8 kHz) from the start of the signal. The middle of
        the frame asked about is half a hop after ``edge``: where speech begins when this frame is
        the first to show it. ``decided`` is the position up to which the answer is known.
        """
        cdef int i
        cdef float step = min(max(self.speech_logit, -EVIDENCE_MOST), EVIDENCE_MOST)
        cdef long long edge = 2 * (self.frames - LOOK_AHEAD) + 1
        cdef double power = 0, length
        cdef int first = 0 if self.frames == 0 else FRAME - HALF
        # Summed energy at the half hops this frame completes.
        for i in range(first, FRAME, 64):
            self.energy_total += _energy(self.frame + i)
            self.energy[(2 * self.frames + i // 64 + 1) % MARKS] = self.energy_total
        if self.frames < LOOK_AHEAD:
            return
        self.decided = edge + 2
        if not self.talking:
            if self.evidence <= 0:
                self.onset = edge
            self.evidence = max(self.evidence + step, <float>0.0)
            if self.evidence < EVIDENCE_START:
                return
            self.talking = True
            self.evidence = 0
            self.last_speech = edge + 2
            self.energy_at_onset = self.energy[self.onset % MARKS]
            mark.kind = MARK_START
            mark.start_s = self.seconds(self.onset)
            return
        if self.speech_logit > LOGIT_HOLD:
            self.last_speech = edge + 2
        elif edge + 2 - self.last_speech >= 2 * HANGOVER_HOPS:
            self.talking = False
            length = (self.last_speech - self.onset) * 64.0
            power = (self.energy[self.last_speech % MARKS] - self.energy_at_onset) / length
            mark.kind = MARK_END
            mark.start_s = self.seconds(self.onset)
            mark.end_s = self.seconds(self.last_speech)
            mark.level_dbov = 10 * log10(power / (32768.0 * 32768.0)) if power > 0 else -INFINITY


cdef inline float _follow(float floor, float level) noexcept nogil:
    """Move the noise floor: quickly down to a lower level, slowly up."""
    if level < floor:
        return floor + FLOOR_FALL * (level - floor)
    return min(floor + FLOOR_RISE, level)


cdef inline double _energy(const float* samples) noexcept nogil:
    """Sum of 64 squares; at 8 kHz those of whole numbers, exact in any order."""
    cdef double[4] sums
    cdef int i, j
    for j in range(4):
        sums[j] = 0
    for i in range(0, 64, 4):
        for j in range(4):
            sums[j] += <double>samples[i + j] * samples[i + j]
    return (sums[0] + sums[2]) + (sums[1] + sums[3])


cdef inline float _dot(const float* a, const float* b, int first, int end) noexcept nogil:
    """Sum of products; the ranges are 20, 32 and 50 long."""
    cdef float[4] sums
    cdef float rest = 0
    cdef int i, j
    for j in range(4):
        sums[j] = 0
    for i in range(first, end - 3, 4):
        for j in range(4):
            sums[j] += a[i + j] * b[i + j]
    for i in range(end - (end - first) % 4, end):
        rest += a[i] * b[i]
    return (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest

# cython: language_level=3
"""Pace: syllables per second of articulated speech."""

from libc.math cimport NAN, exp, log1p
from libc.string cimport memset

from thirdring_dsp.spectrum cimport thirdring_tanh
from thirdring_dsp.vad cimport INPUTS, MARK_END, MARK_START, TalkMark, VoiceActivityDetector

cdef extern from "thirdring_dsp/syllable_weights.h" nogil:
    const float SYLLABLE_INPUT[INPUTS][3 * SYLLABLE_UNITS]
    const float SYLLABLE_RECURRENT[SYLLABLE_UNITS][3 * SYLLABLE_UNITS]
    const float SYLLABLE_BIAS[3 * SYLLABLE_UNITS]
    const float SYLLABLE_CANDIDATE_BIAS[SYLLABLE_UNITS]
    const float SYLLABLE_OUTPUT[SYLLABLE_UNITS]
    const float SYLLABLE_OUTPUT_BIAS
    const float SYLLABLE_SCALE

cdef double HOPS_A_SECOND = 62.5
cdef int LAG = 6            # hops by which a syllable may be counted after it was spoken
cdef int MARGIN = 6         # hops beside a talk-spurt in which the rest of a syllable may lie
cdef double LEAST_S = 1.0   # of talk, below which there is no rate


cdef class SyllableRateMeter:
    """Count syllables and divide by the time in which somebody talked.

    A small recurrent network looks at the inputs of ``VoiceActivityDetector`` and says how much of
    a syllable every 16 ms hold; it was trained on the number of syllables of whole utterances
    in seven languages, at 2 to 10 syllables per second. Only talk-spurts count, in both number and time:
    pauses from 200 ms on (ITU-T P.59) are no articulated speech. What is left of a syllable within
    0.1 s before or after a talk-spurt counts as well. Figures lag by 0.5 s.

    ``window_s`` is the length of signal that the sliding figures look back on, up to 60 s.
    Raises ``ValueError`` for an unsupported sample rate or window.
    """

    def __cinit__(self, int sample_rate_hz, *, double window_s=10.0):
        if not 1.0 <= window_s <= WINDOW_MOST / HOPS_A_SECOND:
            raise ValueError(f"window_s must be 1 to 60 s, not {window_s}")
        self.own = VoiceActivityDetector(sample_rate_hz)
        self.window_s = window_s
        self.window_hops = <int>(window_s * HOPS_A_SECOND)
        self.clear()

    @property
    def sample_rate_hz(self):
        """The sample rate of the blocks."""
        return self.own.sample_rate_hz

    def reset(self):
        """Forget the signal: the next sample is at 0 s."""
        self.own.reset()
        self.clear()

    def update(self, const short[::1] block not None):
        """Take the next samples (int16, any number). Reports no events."""
        cdef TalkMark mark
        cdef Py_ssize_t at = 0, count = block.shape[0]
        cdef long long frames
        with nogil:
            while at < count:
                frames = self.own.frames
                at += self.own.advance(&block[at], count - at, &mark)
                if self.own.frames != frames:
                    self.hop(self.own, &mark)
        return []

    @property
    def syllables(self):
        """Syllables since reset, with fractions."""
        return self.total

    @property
    def articulated_s(self):
        """Seconds of talk since reset."""
        return self.total_talk / HOPS_A_SECOND

    @property
    def syllables_per_s(self):
        """Syllables per second of talk since reset; NaN before 1 s of talk."""
        return _rate(self.total, self.total_talk)

    @property
    def sliding_articulated_s(self):
        """Seconds of talk within the window."""
        return self.recent_talk / HOPS_A_SECOND

    @property
    def sliding_syllables_per_s(self):
        """Syllables per second of talk within the window; NaN when that holds less than 1 s of talk."""
        return _rate(self.recent, self.recent_talk)

    cdef void clear(self) noexcept nogil:
        cdef int i
        memset(self.hidden, 0, sizeof(self.hidden))
        memset(self.density, 0, sizeof(self.density))
        memset(self.talk, 0, sizeof(self.talk))
        self.talking = False
        self.hops = self.settled = 0
        self.total = self.recent = 0
        self.total_talk = self.recent_talk = self.recent_hops = 0
        for i in range(WINDOW_MOST):
            self.window[i] = -1

    cdef void hop(self, VoiceActivityDetector vad, const TalkMark* mark) noexcept nogil:
        """Take what the detector found in the frame it has just finished.

        Hop ``i`` is the signal from 128 * i on at 8 kHz, two of the detector's positions. Whether
        it was talk is certain, and its syllables are counted, ``SETTLED - LAG`` hops later.
        """
        cdef long long i, edge
        cdef int at, place
        cdef float value
        self.density[self.hops % SETTLED] = self._density(vad.inputs)
        self.talk[self.hops % SETTLED] = TALK if self.talking else PAUSE
        if mark.kind == MARK_START:
            self.talking = True
            edge = vad.onset // 2
            for i in range(max(edge - MARGIN, self.settled), self.hops + 1):
                if i >= edge:
                    self.talk[i % SETTLED] = TALK
                elif self.talk[i % SETTLED] == PAUSE:
                    self.talk[i % SETTLED] = BESIDE
        elif mark.kind == MARK_END:
            self.talking = False
            edge = (vad.last_speech + 1) // 2
            for i in range(max(edge, self.settled), self.hops + 1):
                self.talk[i % SETTLED] = BESIDE if i < edge + MARGIN else PAUSE
        self.hops += 1
        if self.hops < SETTLED:
            return
        # The density that goes with a hop comes LAG hops later.
        i = self.settled
        at = <int>(i % self.window_hops)
        value = _counted(self.window[at])
        self.recent -= value
        self.recent_hops -= value > 0
        self.recent_talk -= self.window[at] >= 0
        place = self.talk[i % SETTLED]
        value = 0 if place == PAUSE else self.density[(i + LAG) % SETTLED]
        self.window[at] = value if place == TALK else -1 - value
        value = _counted(self.window[at])
        self.recent += value
        self.recent_hops += value > 0
        self.recent_talk += place == TALK
        self.total += value
        self.total_talk += place == TALK
        if self.recent_hops == 0:
            self.recent = 0  # rounding does not pile up
        self.settled += 1

    cdef float _density(self, const float* inputs) noexcept nogil:
        """One step of the gated recurrent unit: syllables in this hop."""
        cdef float[3 * SYLLABLE_UNITS] driven, fed
        cdef int i, j
        cdef float a, b, c, d
        for j in range(3 * SYLLABLE_UNITS):
            driven[j] = SYLLABLE_BIAS[j]
            fed[j] = 0
        for i in range(0, INPUTS, 4):
            a = inputs[i]; b = inputs[i + 1]; c = inputs[i + 2]; d = inputs[i + 3]
            for j in range(3 * SYLLABLE_UNITS):
                driven[j] += (a * SYLLABLE_INPUT[i][j] + b * SYLLABLE_INPUT[i + 1][j]) + (
                    c * SYLLABLE_INPUT[i + 2][j] + d * SYLLABLE_INPUT[i + 3][j])
        for i in range(0, SYLLABLE_UNITS, 4):
            a = self.hidden[i]; b = self.hidden[i + 1]
            c = self.hidden[i + 2]; d = self.hidden[i + 3]
            for j in range(3 * SYLLABLE_UNITS):
                fed[j] += (a * SYLLABLE_RECURRENT[i][j] + b * SYLLABLE_RECURRENT[i + 1][j]) + (
                    c * SYLLABLE_RECURRENT[i + 2][j] + d * SYLLABLE_RECURRENT[i + 3][j])
        for j in range(2 * SYLLABLE_UNITS):
            driven[j] = <float>0.5 + <float>0.5 * thirdring_tanh(
                <float>0.5 * (driven[j] + fed[j]))
        for j in range(SYLLABLE_UNITS):
            fed[j] = thirdring_tanh(driven[2 * SYLLABLE_UNITS + j] + driven[j] * (
                fed[2 * SYLLABLE_UNITS + j] + SYLLABLE_CANDIDATE_BIAS[j]))
        a = SYLLABLE_OUTPUT_BIAS
        for j in range(SYLLABLE_UNITS):
            self.hidden[j] += driven[SYLLABLE_UNITS + j] * (fed[j] - self.hidden[j])
            a += self.hidden[j] * SYLLABLE_OUTPUT[j]
        return SYLLABLE_SCALE * <float>log1p(exp(a))


cdef inline float _counted(float kept) noexcept nogil:
    """Syllables of a hop of the window."""
    return kept if kept >= 0 else -1 - kept


cdef double _rate(double syllables, long long talk) noexcept nogil:
    cdef double seconds = talk / HOPS_A_SECOND
    return syllables / seconds if seconds >= LEAST_S else NAN

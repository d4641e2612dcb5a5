"""Streaming active speech level, ITU-T P.56 (12/2011) method B."""

from libc.math cimport exp, fabs, ilogb, sqrt
from libc.string cimport memcpy

from thirdring_dsp._p56 cimport active_mean_square, dbov
from thirdring_dsp._segments cimport SEGMENTS_PER_S

cdef double TIME_CONSTANT_S = 0.03  # P.56 parameter T
cdef double HANGOVER_S = 0.2  # P.56 parameter H
cdef double NOT_DENORMAL = 1e-30


cdef class SpeechLevelMeter:
    """Active speech level of a stream by ITU-T P.56 (12/2011) method B.

    All figures are those of the samples seen so far and may be read at any moment; levels are in
    dBov (ITU-T G.100.1: a full-scale sine is -3.01), ``-inf`` while there is nothing to measure,
    never NaN. Sums are kept as integers, so the figures do not depend on how the stream is cut.

    Args:
        sample_rate_hz: 8000, 16000 or 48000.
        window_s: how much *active* speech the sliding level covers, 0.1 to 10 s.
        clip_level: a sample of this magnitude or more counts as clipped, 1 to 32767.

    Raises:
        ValueError: an argument is outside its range.
    """

    def __cinit__(self, int sample_rate_hz, double window_s=3.0, int clip_level=32767):
        if not 0.1 <= window_s <= 10.0:
            raise ValueError(f"window_s must be between 0.1 and 10, not {window_s}")
        if not 1 <= clip_level <= 32767:
            raise ValueError(f"clip_level must be between 1 and 32767, not {clip_level}")
        self.window_s = window_s
        self.clip_level = clip_level
        self.gain = exp(-1.0 / (sample_rate_hz * TIME_CONSTANT_S))
        self.rest = 1.0 - self.gain
        self.hangover = <int64_t> (HANGOVER_S * sample_rate_hz + 0.5)
        self.recent_size = sample_rate_hz // 10
        self.tracker = SegmentTracker(sample_rate_hz)
        self.clear()

    cdef void clear(self) noexcept nogil:
        cdef int j
        self.p = self.q = 0.0
        self.octave = 0
        self.low = -1.0
        self.high = 1.0
        for j in range(THRESHOLDS):
            # As if each had been left long ago: hangover spent and not counted.
            self.counts[j] = -self.hangover
            self.since[j] = -self.hangover
        self.samples = self.total = self.clipped = 0
        self.energy = 0
        self.least = 0
        self.greatest = 0
        self.segment_fill = 0
        self.segment_abs = self.segment_energy = 0
        self.recent_at = 0
        for j in range(MOMENTARY_MAX):
            self.recent[j] = 0
        self.tracker.clear()

    cdef void feed(self, const short* samples, Py_ssize_t count) noexcept nogil:
        """Take count samples."""
        cdef int piece, room
        while count > 0:
            piece = self.tracker.segment_samples - self.segment_fill
            room = self.recent_size - self.recent_at
            piece = min(piece, room)
            if count < piece:
                piece = <int> count
            self._piece(samples, piece)
            memcpy(&self.recent[self.recent_at], samples, piece * sizeof(short))
            self.recent_at = 0 if piece == room else self.recent_at + piece
            self.segment_fill += piece
            if self.segment_fill == self.tracker.segment_samples:
                self.tracker.push(self.segment_abs, self.segment_energy)
                self.segment_fill = 0
                self.segment_abs = self.segment_energy = 0
            samples += piece
            count -= piece

    cdef void _piece(self, const short* samples, int count) noexcept nogil:
        """Take samples that lie within one segment."""
        cdef int i, value, total = 0, magnitudes = 0, least = 0, greatest = 0
        cdef uint64_t energy = 0
        cdef double p = self.p, q = self.q, low = self.low, high = self.high
        cdef double gain = self.gain, rest = self.rest
        for i in range(count):
            value = samples[i]
            total += value
            magnitudes += value if value >= 0 else -value
            least = min(least, value)
            greatest = max(greatest, value)
            energy += <unsigned int> (value * value)
        for i in range(count):
            p = gain * p + (rest * fabs(<double> samples[i]) + NOT_DENORMAL)
            q = gain * q + rest * p
            if q < low or q >= high:
                self._cross(q, self.samples + i)
                low = self.low
                high = self.high
        self.p = p
        self.q = q
        self.samples += count
        self.total += total
        self.energy += energy
        self.segment_abs += magnitudes
        self.segment_energy += energy
        self.least = min(self.least, least)
        self.greatest = max(self.greatest, greatest)
        if greatest >= self.clip_level or least <= -self.clip_level:
            for i in range(count):
                if samples[i] >= self.clip_level or samples[i] <= -self.clip_level:
                    self.clipped += 1

    cdef void _cross(self, double envelope, int64_t at) noexcept nogil:
        """Book the thresholds that the envelope crossed with the sample number at."""
        cdef int j, octave = 0 if envelope < 1.0 else ilogb(envelope) + 1
        if octave > THRESHOLDS:
            octave = THRESHOLDS
        for j in range(self.octave, octave):  # risen above: the gap counts up to the hangover
            self.counts[j] += min(at - self.since[j], self.hangover)
            self.since[j] = at
        for j in range(octave, self.octave):  # fallen below
            self.counts[j] += at - self.since[j]
            self.since[j] = at
        self.octave = octave
        self.low = -1.0 if octave == 0 else <double> (1 << (octave - 1))
        self.high = 1e30 if octave == THRESHOLDS else <double> (1 << octave)

    cdef double _active_mean_square(self) noexcept nogil:
        cdef int64_t active[THRESHOLDS]
        cdef int64_t run
        cdef int j
        for j in range(THRESHOLDS):
            run = self.samples - self.since[j]
            active[j] = self.counts[j] + (run if j < self.octave else min(run, self.hangover))
        return active_mean_square(<double> self.energy, active)

    @property
    def active_speech_level_dbov(self):
        """P.56 active speech level since reset: the mean power while speech was active."""
        return dbov(self._active_mean_square())

    @property
    def activity_percent(self):
        """P.56 activity factor since reset, 0 to 100."""
        cdef double level = self._active_mean_square()
        if level <= 0.0:
            return 0.0
        return 100.0 * <double> self.energy / self.samples / level

    @property
    def active_s(self):
        """Duration of the active speech since reset."""
        cdef double level = self._active_mean_square()
        if level <= 0.0:
            return 0.0
        return <double> self.energy / level / self.sample_rate_hz

    @property
    def long_term_level_dbov(self):
        """Mean power since reset, pauses included."""
        return dbov(<double> self.energy / self.samples) if self.samples else dbov(0.0)

    @property
    def peak_dbov(self):
        """Largest magnitude since reset, relative to 32768."""
        cdef double peak = max(self.greatest, -self.least)
        return dbov(peak * peak)

    @property
    def clipped_samples(self):
        """Samples at or beyond the clip level since reset."""
        return self.clipped

    @property
    def dc_offset(self):
        """Mean since reset as a share of the overload point, -1 to 1."""
        return <double> self.total / self.samples / 32768.0 if self.samples else 0.0

    @property
    def sample_count(self):
        """Samples since reset."""
        return self.samples

    @property
    def sliding_active_speech_level_dbov(self):
        """P.56 level of the last ``window_s`` of active speech; holds through pauses.

        Moves on every 10 ms. Background that is steady, or that does not stand 7 dB out of the
        noise floor, is not speech; before ``window_s`` of speech it covers what there is.
        """
        cdef int wanted = <int> (self.window_s * SEGMENTS_PER_S + 0.5)
        return dbov(self.tracker.speech_mean_square(wanted, 0))

    @property
    def momentary_level_dbov(self):
        """Mean power of the last 100 ms."""
        cdef int i
        cdef int64_t size = min(self.samples, <int64_t> self.recent_size)
        cdef uint64_t energy = 0
        if size == 0:
            return dbov(0.0)
        for i in range(<int> size):  # what was never written is zero
            energy += <unsigned int> (self.recent[i] * self.recent[i])
        return dbov(<double> energy / size)

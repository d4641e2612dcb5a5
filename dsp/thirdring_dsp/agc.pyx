"""Automatic gain control towards a P.56 active speech level."""

from libc.math cimport exp, fabs, fmax, fmin, lrint, pow

from thirdring_dsp._p56 cimport dbov
from thirdring_dsp._segments cimport GLANCES, SEGMENTS_PER_S

cdef double OVERLOAD = 29204.0  # -1 dBov: the output's peaks stay below, codecs clip above
cdef double GUARD_RELEASE_S = 0.1
cdef int FIRST_DOWN = 8  # segments of speech before the first move
cdef int FIRST_UP = 30
cdef int ESTIMATE_EVERY = 4  # segments of speech
# Segments of active speech: the level is taken over the longest window that the recent ones agree
# with; recent ones that differ by more show a change of level, and what was before is dropped.
cdef int LONG_WINDOW = 1200
cdef int MEDIUM_WINDOW = 250
cdef double MEDIUM_RISE_DB = 2.0, MEDIUM_FALL_DB = 3.0
cdef int SHORT_WINDOW = 100
cdef double SHORT_RISE_DB = 4.0, SHORT_FALL_DB = 7.0
cdef double FAR_FALL_DB = 20.0  # so far only by the longer window, and only if modulated ...
cdef double SPEECH_CREST = 5.0  # ... by 7 dB: largest segment over the active level
# A level so far below the one known may be voices in the background, and is believed after so long.
cdef double BELOW_KNOWN = 0.063  # -12 dB
cdef int BELOW_KNOWN_SEGMENTS = 160
# What has no dip of 9 dB between its blocks of 100 ms may be many voices, and is believed later.
cdef double DIP = 8.0
cdef int EVEN_VOICES_SEGMENTS = 400
# Loud words carry the mean power, so that a few words show less than the level of many.
cdef double FEW_WORDS_DB = 1.4  # divided by 1 + seconds of speech
cdef double NOISE_MARGIN_DB = 0.8  # the louder moments of babble open the gate a little
cdef double FASTEST_UP_DB = 0.6  # a segment: 60 dB/s, for the first words at -50 dBov
cdef double FASTEST_DOWN_DB = 1.0
cdef double APPROACH = 0.1
cdef double MARGIN = 39.0  # P.56: 15.9 dB; what lies further below the level is not speech


cdef class AutomaticGainControl:
    """Bring speech to a target active speech level (ITU-T P.56) without pumping.

    The gain follows the level of the recent active speech and stands still in pauses. Where it
    would lift the background by more than ``max_noise_gain_db``, the pauses are turned down by the
    difference. Peaks of the output stay below -1 dBov. No delay.

    Args:
        sample_rate_hz: 8000, 16000 or 48000.
        target_dbov: active speech level to reach, -50 to -10.
        max_gain_db: most amplification, 0 to 40.
        min_gain_db: most attenuation as a negative gain, -40 to 0.
        max_noise_gain_db: most amplification of the background in pauses, 0 to 40.

    Raises:
        ValueError: an argument is outside its range.
    """

    def __cinit__(
        self,
        int sample_rate_hz,
        double target_dbov=-26.0,
        double max_gain_db=15.0,
        double min_gain_db=-15.0,
        double max_noise_gain_db=3.0,
    ):
        if not -50.0 <= target_dbov <= -10.0:
            raise ValueError(f"target_dbov must be between -50 and -10, not {target_dbov}")
        if not 0.0 <= max_gain_db <= 40.0:
            raise ValueError(f"max_gain_db must be between 0 and 40, not {max_gain_db}")
        if not -40.0 <= min_gain_db <= 0.0:
            raise ValueError(f"min_gain_db must be between -40 and 0, not {min_gain_db}")
        if not 0.0 <= max_noise_gain_db <= 40.0:
            raise ValueError(f"max_noise_gain_db must be between 0 and 40, not {max_noise_gain_db}")
        self.target_dbov = target_dbov
        self.max_gain_db = max_gain_db
        self.min_gain_db = min_gain_db
        self.max_noise_gain_db = max_noise_gain_db
        self.guard_release = 1.0 - exp(-1.0 / (GUARD_RELEASE_S * sample_rate_hz))
        self.quarter_samples = sample_rate_hz // SEGMENTS_PER_S // GLANCES
        self.tracker = SegmentTracker(sample_rate_hz)
        self.clear()

    cdef void clear(self) noexcept nogil:
        self.tracker.clear()
        self.fill = 0
        self.segment_abs = self.segment_energy = self.quarter_energy = 0
        self.speech_gain_db = self.wanted_gain_db = self.pause_db = 0.0
        self.voiced_segments = self.changed_at = 0
        self.before_fall = 0.0
        self.gain = self.guard = 1.0
        self.gain_step = 0.0

    cdef void feed(self, const short* samples, short* out, Py_ssize_t count) noexcept nogil:
        """Take count samples, give as many; out may be samples."""
        cdef int piece
        while count > 0:
            piece = self.quarter_samples - self.fill % self.quarter_samples
            if count < piece:
                piece = <int> count
            self._piece(samples, out, piece)
            self.fill += piece
            if self.fill % self.quarter_samples == 0:
                self.tracker.glance(self.quarter_energy, self.quarter_samples)
                if self.fill == self.tracker.segment_samples:
                    self.tracker.push(self.segment_abs, self.segment_energy)
                    self._decide()
                    self.fill = 0
                    self.segment_abs = self.segment_energy = 0
                self.quarter_energy = 0
                self._ramp()
            samples += piece
            out += piece
            count -= piece

    cdef void _piece(self, const short* samples, short* out, int count) noexcept nogil:
        """Measure and amplify samples that lie within a quarter of a segment."""
        cdef int i, value, magnitude, magnitudes = 0, peak = 0
        cdef uint64_t energy = 0
        cdef double gain = self.gain, step = self.gain_step, guard = self.guard, y
        cdef int start = self.fill % self.quarter_samples + 1
        for i in range(count):
            value = samples[i]
            magnitude = value if value >= 0 else -value
            magnitudes += magnitude
            peak = max(peak, magnitude)
            energy += <unsigned int> (value * value)
        self.segment_abs += magnitudes
        self.segment_energy += energy
        self.quarter_energy += energy
        if guard == 1.0 and peak * fmax(gain, gain + step * self.quarter_samples) <= OVERLOAD:
            for i in range(count):
                out[i] = <short> lrint(samples[i] * (gain + step * (start + i)))
            return
        for i in range(count):
            guard += (1.0 - guard) * self.guard_release
            y = samples[i] * (gain + step * (start + i))
            if fabs(y) * guard > OVERLOAD:
                guard = OVERLOAD / fabs(y)
            out[i] = <short> lrint(y * guard)
        self.guard = 1.0 if guard > 0.999 else guard

    cdef void _decide(self) noexcept nogil:
        """At the end of a segment: move the speech gain if it was speech."""
        cdef double wanted_db
        if not self.tracker.voiced or not self.tracker.settled():
            return
        self.voiced_segments += 1
        if self.voiced_segments % ESTIMATE_EVERY == 0:
            self._measure()
        if self.tracker.fast * MARGIN < self.tracker.reference:
            return
        if self.tracker.fast < BELOW_KNOWN * self.before_fall:
            return
        wanted_db = APPROACH * (self.wanted_gain_db - self.speech_gain_db)
        if self.voiced_segments < (FIRST_UP if wanted_db > 0.0 else FIRST_DOWN):
            return
        self.speech_gain_db += fmin(fmax(wanted_db, -FASTEST_DOWN_DB), FASTEST_UP_DB)

    cdef void _ramp(self) noexcept nogil:
        """At the end of a quarter of a segment: set the ramp of the next one."""
        cdef double end_db
        self.gain += self.gain_step * self.quarter_samples
        self.pause_db = fmin(0.0, self.max_noise_gain_db - NOISE_MARGIN_DB - self.speech_gain_db)
        self.pause_db *= 1.0 - self.tracker.openness
        end_db = self.speech_gain_db + self.pause_db
        self.gain_step = (pow(10.0, end_db / 20.0) - self.gain) / self.quarter_samples

    cdef void _measure(self) noexcept nogil:
        """Take the level of the speech since it last changed."""
        cdef double level, recent, change_db, wanted_db, peak
        cdef int64_t since
        cdef int i
        level = self.tracker.speech_mean_square(LONG_WINDOW, self.changed_at)
        for i in range(2):
            recent = self.tracker.speech_mean_square(
                MEDIUM_WINDOW if i == 0 else SHORT_WINDOW, self.changed_at
            )
            change_db = dbov(recent) - dbov(level) if recent > 0.0 else 0.0
            peak = <double> self.tracker.walked_peak / self.tracker.segment_samples
            if change_db < -FAR_FALL_DB and (i == 1 or peak < SPEECH_CREST * recent):
                continue  # room noise between words on a line silent otherwise
            if change_db > (MEDIUM_RISE_DB if i == 0 else SHORT_RISE_DB) or -change_db > (
                MEDIUM_FALL_DB if i == 0 else SHORT_FALL_DB
            ):
                self.changed_at = self.tracker.speech_segments - self.tracker.walked
                self.before_fall = fmax(self.before_fall, self.tracker.reference) if change_db < 0.0 else 0.0
                if change_db < 0.0:
                    # What was louder lies at the window's beginning and would outweigh the rest.
                    self.changed_at += self.tracker.walked // 2
                level = recent
        if level <= 0.0:
            return
        since = min(self.tracker.speech_segments - self.changed_at, <int64_t> LONG_WINDOW)
        if level < BELOW_KNOWN * fmax(self.before_fall, self.tracker.reference):
            if since < BELOW_KNOWN_SEGMENTS:
                return
            if since < EVEN_VOICES_SEGMENTS and self.tracker.lowest_mean(since) * DIP > level:
                return
        if since >= BELOW_KNOWN_SEGMENTS:
            self.before_fall = 0.0
        self.tracker.reference = level
        wanted_db = self.target_dbov - dbov(level)
        wanted_db -= FEW_WORDS_DB / (1.0 + <double> since / SEGMENTS_PER_S)
        self.wanted_gain_db = fmin(fmax(wanted_db, self.min_gain_db), self.max_gain_db)

    @property
    def gain_db(self):
        """Gain for speech now; constant through pauses."""
        return self.speech_gain_db

    @property
    def pause_attenuation_db(self):
        """What is taken off that gain now because nobody speaks, 0 or more."""
        return -self.pause_db

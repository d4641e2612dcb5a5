"""Automatic gain control towards a P.56 active speech level."""

import numpy as np

from libc.math cimport exp, fabs, fmax, fmin, lrint, pow

from thirdring_dsp._p56 cimport dbov
from thirdring_dsp._segments cimport BLOCK_SEGMENTS, STEADY_BLOCKS

cdef double OVERLOAD = 29204.0  # -1 dBov: the output's peaks stay below, codecs clip above
cdef double GUARD_RELEASE_S = 0.1
cdef int FIRST_ESTIMATE = 12  # segments of speech before the first move
cdef int SETTLED = STEADY_BLOCKS * BLOCK_SEGMENTS  # by then noise is told from speech
cdef int ESTIMATE_EVERY = 4  # segments of speech
# Segments of active speech: the level is taken over the longest window that the recent ones agree
# with; recent ones that differ by more show a change of level, and what was before is dropped.
cdef int LONG_WINDOW = 1200
cdef int MEDIUM_WINDOW = 300
cdef double MEDIUM_CHANGE_DB = 4.0
cdef int SHORT_WINDOW = 120
cdef double SHORT_CHANGE_DB = 6.0
cdef double FASTEST_UP_DB = 0.4  # a segment: 40 dB/s, for the first words at -50 dBov
cdef double FASTEST_DOWN_DB = 1.0
cdef double APPROACH = 0.1
cdef double CLOSING = 0.12


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

    def __init__(
        self,
        int sample_rate_hz,
        double target_dbov=-26.0,
        double max_gain_db=15.0,
        double min_gain_db=-15.0,
        double max_noise_gain_db=3.0,
    ):
        if sample_rate_hz not in (8000, 16000, 48000):
            raise ValueError(f"sample_rate_hz must be 8000, 16000 or 48000, not {sample_rate_hz}")
        if not -50.0 <= target_dbov <= -10.0:
            raise ValueError(f"target_dbov must be between -50 and -10, not {target_dbov}")
        if not 0.0 <= max_gain_db <= 40.0:
            raise ValueError(f"max_gain_db must be between 0 and 40, not {max_gain_db}")
        if not -40.0 <= min_gain_db <= 0.0:
            raise ValueError(f"min_gain_db must be between -40 and 0, not {min_gain_db}")
        if not 0.0 <= max_noise_gain_db <= 40.0:
            raise ValueError(f"max_noise_gain_db must be between 0 and 40, not {max_noise_gain_db}")
        self.sample_rate_hz = sample_rate_hz
        self.target_dbov = target_dbov
        self.max_gain_db = max_gain_db
        self.min_gain_db = min_gain_db
        self.max_noise_gain_db = max_noise_gain_db
        self.guard_release = 1.0 - exp(-1.0 / (GUARD_RELEASE_S * sample_rate_hz))
        self.tracker = SegmentTracker(sample_rate_hz)
        self.clear()

    def reset(self):
        """Forget everything heard; the gain is 0 dB again."""
        self.clear()

    def process(self, const short[::1] block not None, out=None):
        """Amplify a block of contiguous int16 samples, shape (n,), n >= 0.

        Writes to ``out``, which may be ``block``, and returns it; makes a new array without.

        Raises:
            ValueError: ``out`` is not of the block's length.
        """
        cdef Py_ssize_t count = block.shape[0]
        cdef short[::1] target
        if out is None:
            out = np.empty(count, dtype=np.int16)
        target = out
        if target.shape[0] != count:
            raise ValueError(f"out must hold {count} samples, not {target.shape[0]}")
        if count:
            with nogil:
                self.feed(&block[0], &target[0], count)
        return out

    cdef void clear(self) noexcept nogil:
        self.tracker.clear()
        self.fill = 0
        self.segment_abs = self.segment_energy = 0
        self.speech_gain_db = self.wanted_gain_db = self.pause_db = 0.0
        self.voiced_segments = self.changed_at = 0
        self.gain = self.guard = 1.0
        self.gain_step = 0.0

    cdef void feed(self, const short* samples, short* out, Py_ssize_t count) noexcept nogil:
        """Take count samples, give as many; out may be samples."""
        cdef int piece
        while count > 0:
            piece = self.tracker.segment_samples - self.fill
            if count < piece:
                piece = <int> count
            self._piece(samples, out, piece)
            self.fill += piece
            if self.fill == self.tracker.segment_samples:
                self.tracker.push(self.segment_abs, self.segment_energy)
                self._decide()
                self.fill = 0
                self.segment_abs = self.segment_energy = 0
            samples += piece
            out += piece
            count -= piece

    cdef void _piece(self, const short* samples, short* out, int count) noexcept nogil:
        """Measure and amplify samples that lie within one segment."""
        cdef int i, value, magnitude, magnitudes = 0, peak = 0
        cdef uint64_t energy = 0
        cdef double gain = self.gain, step = self.gain_step, guard = self.guard, y
        cdef int start = self.fill + 1
        for i in range(count):
            value = samples[i]
            magnitude = value if value >= 0 else -value
            magnitudes += magnitude
            peak = max(peak, magnitude)
            energy += <unsigned int> (value * value)
        self.segment_abs += magnitudes
        self.segment_energy += energy
        if guard == 1.0 and peak * fmax(gain, gain + step * self.tracker.segment_samples) <= OVERLOAD:
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
        """At the end of a segment: set the ramp of the next one."""
        cdef double wanted_db, end
        if self.tracker.voiced:
            self.voiced_segments += 1
            if self.voiced_segments >= FIRST_ESTIMATE and self.tracker.segments >= SETTLED:
                if self.voiced_segments % ESTIMATE_EVERY == 0:
                    wanted_db = self.target_dbov - self._speech_level_db()
                    self.wanted_gain_db = fmin(fmax(wanted_db, self.min_gain_db), self.max_gain_db)
                wanted_db = APPROACH * (self.wanted_gain_db - self.speech_gain_db)
                self.speech_gain_db += fmin(fmax(wanted_db, -FASTEST_DOWN_DB), FASTEST_UP_DB)
        if self.tracker.active:
            self.pause_db = 0.0
        else:
            wanted_db = fmin(0.0, self.max_noise_gain_db - 0.3 - self.speech_gain_db)
            self.pause_db += CLOSING * (wanted_db - self.pause_db)
        self.gain += self.gain_step * self.tracker.segment_samples
        end = pow(10.0, (self.speech_gain_db + self.pause_db) / 20.0)
        self.gain_step = (end - self.gain) / self.tracker.segment_samples

    cdef double _speech_level_db(self) noexcept nogil:
        """Return the level of the speech since it last changed."""
        cdef double level_db, recent_db
        cdef int i
        level_db = dbov(self.tracker.speech_mean_square(LONG_WINDOW, self.changed_at))
        for i in range(2):
            recent_db = dbov(
                self.tracker.speech_mean_square(
                    MEDIUM_WINDOW if i == 0 else SHORT_WINDOW, self.changed_at
                )
            )
            if fabs(recent_db - level_db) > (MEDIUM_CHANGE_DB if i == 0 else SHORT_CHANGE_DB):
                self.changed_at = self.tracker.speech_segments - self.tracker.walked
                level_db = recent_db
        return level_db

    @property
    def gain_db(self):
        """Gain for speech now; constant through pauses."""
        return self.speech_gain_db

    @property
    def pause_attenuation_db(self):
        """What is taken off that gain now because nobody speaks, 0 or more."""
        return -self.pause_db

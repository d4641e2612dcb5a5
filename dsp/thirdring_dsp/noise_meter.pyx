"""Background noise while nobody speaks, and how far the speech stands out of it."""

from libc.math cimport INFINITY, fmax, log10

from thirdring_dsp._p56 cimport dbov
from thirdring_dsp._segments cimport SEGMENTS_PER_S

cdef double LEAST_SPEECH = 0.1  # of the noise power, what is left of speech after subtraction


cdef class NoiseMeter:
    """Noise level and signal-to-noise ratio of a stream of speech with pauses.

    Pauses are found by the running minimum of the power (5 s): what does not stand 7 dB out of it,
    or shows no modulation for 1.2 s, is background. Figures move every 10 ms of signal; a step of
    the background is followed within about a second if steady, within 5 s if not.

    Args:
        sample_rate_hz: 8000, 16000 or 48000.
        window_s: how much active speech the ratio compares with the noise, 0.1 to 10 s.

    Raises:
        ValueError: an argument is outside its range.
    """

    def __cinit__(self, int sample_rate_hz, double window_s=3.0):
        if not 0.1 <= window_s <= 10.0:
            raise ValueError(f"window_s must be between 0.1 and 10, not {window_s}")
        self.window_s = window_s
        self.tracker = SegmentTracker(sample_rate_hz)
        self.clear()

    cdef void clear(self) noexcept nogil:
        self.tracker.clear()
        self.fill = 0
        self.segment_abs = self.segment_energy = 0

    cdef void feed(self, const short* samples, Py_ssize_t count) noexcept nogil:
        """Take count samples."""
        cdef int i, value, piece, magnitudes
        cdef uint64_t energy
        while count > 0:
            piece = self.tracker.segment_samples - self.fill
            if count < piece:
                piece = <int> count
            magnitudes = 0
            energy = 0
            for i in range(piece):
                value = samples[i]
                magnitudes += value if value >= 0 else -value
                energy += <unsigned int> (value * value)
            self.segment_abs += magnitudes
            self.segment_energy += energy
            self.fill += piece
            if self.fill == self.tracker.segment_samples:
                self.tracker.push(self.segment_abs, self.segment_energy)
                self.fill = 0
                self.segment_abs = self.segment_energy = 0
            samples += piece
            count -= piece

    cdef double _speech(self) noexcept nogil:
        """Return the power of the recent speech without the noise, 0 for none."""
        cdef int wanted = <int> (self.window_s * SEGMENTS_PER_S + 0.5)
        cdef double level = self.tracker.speech_mean_square(wanted, 0)
        cdef double noise = self.tracker.noise_power()
        return fmax(level - noise, LEAST_SPEECH * noise) if level > 0.0 else 0.0

    @property
    def noise_level_dbov(self):
        """Mean power of the background, ``-inf`` for digital silence and before it was heard."""
        return dbov(self.tracker.noise_power())

    @property
    def speech_level_dbov(self):
        """P.56 level of the last ``window_s`` of active speech less the noise; ``-inf`` for none."""
        return dbov(self._speech())

    @property
    def snr_db(self):
        """Speech level over noise level.

        ``inf`` for speech over digital silence, ``-inf`` while no speech was heard.
        """
        cdef double speech = self._speech(), noise = self.tracker.noise_power()
        if speech <= 0.0:
            return -INFINITY
        return 10.0 * log10(speech / noise) if noise > 0.0 else INFINITY

    @property
    def pause(self):
        """Whether nobody speaks now (with the 0.2 s hangover of P.56)."""
        return not self.tracker.active

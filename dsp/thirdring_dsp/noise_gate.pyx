"""Gentle suppression of the background between talk-spurts."""

from libc.math cimport fabs, log10, lrint, pow

from thirdring_dsp._segments cimport GLANCES, SEGMENTS_PER_S


cdef class NoiseGate:
    """Turn the background down while nobody speaks.

    The signal is delayed, so that the gate is open when the first sound of a word comes out. It
    opens within 5 ms of a loud onset and by degrees for what stands 6 to 11 dB out of the
    background, holds for 0.2 s (the hangover of ITU-T P.56) and closes over 0.1 s. It never mutes:
    a line that goes dead between words sounds broken.

    Args:
        sample_rate_hz: 8000, 16000 or 48000.
        attenuation_db: by how much the background is turned down, 0 to 40.
        look_ahead_s: delay of the signal, 0 to 0.02.

    Raises:
        ValueError: an argument is outside its range.
    """

    def __cinit__(self, int sample_rate_hz, double attenuation_db=12.0, double look_ahead_s=0.01):
        if not 0.0 <= attenuation_db <= 40.0:
            raise ValueError(f"attenuation_db must be between 0 and 40, not {attenuation_db}")
        if not 0.0 <= look_ahead_s <= 0.02:
            raise ValueError(f"look_ahead_s must be between 0 and 0.02, not {look_ahead_s}")
        self.attenuation_db = attenuation_db
        self.delay_samples = <int> (look_ahead_s * sample_rate_hz + 0.5)
        self.quarter_samples = sample_rate_hz // SEGMENTS_PER_S // GLANCES
        self.tracker = SegmentTracker(sample_rate_hz)
        self.clear()

    cdef void clear(self) noexcept nogil:
        cdef int i
        self.tracker.clear()
        self.fill = 0
        self.segment_abs = self.segment_energy = self.quarter_energy = 0
        self.gain = 1.0  # open until the background is known
        self.gain_step = 0.0
        self.delayed_at = 0
        for i in range(DELAY_MAX):
            self.delayed[i] = 0

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
                    self.fill = 0
                    self.segment_abs = self.segment_energy = 0
                self.quarter_energy = 0
                self._ramp()
            samples += piece
            out += piece
            count -= piece

    cdef void _piece(self, const short* samples, short* out, int count) noexcept nogil:
        """Measure, delay and attenuate samples that lie within a quarter of a segment."""
        cdef int i, value, magnitudes = 0, at = self.delayed_at, delay = self.delay_samples
        cdef int start = self.fill % self.quarter_samples + 1
        cdef uint64_t energy = 0
        cdef double gain = self.gain, step = self.gain_step
        cdef short due
        for i in range(count):
            value = samples[i]
            magnitudes += value if value >= 0 else -value
            energy += <unsigned int> (value * value)
        self.segment_abs += magnitudes
        self.segment_energy += energy
        self.quarter_energy += energy
        for i in range(count):
            due = samples[i]
            if delay:
                due = self.delayed[at]
                self.delayed[at] = samples[i]
                at = at + 1 if at + 1 < delay else 0
            out[i] = <short> lrint(due * (gain + step * (start + i)))
        self.delayed_at = at

    cdef void _ramp(self) noexcept nogil:
        """At the end of a quarter of a segment: set the ramp of the next one."""
        cdef double end = 1.0
        self.gain += self.gain_step * self.quarter_samples
        if self.tracker.settled():
            end = pow(10.0, self.attenuation_db * (self.tracker.openness - 1.0) / 20.0)
        if fabs(self.gain - end) < 1e-9:
            self.gain = end  # so that an open gate changes nothing
        self.gain_step = (end - self.gain) / self.quarter_samples

    @property
    def gain_db(self):
        """Gain now, 0 when open."""
        return 20.0 * log10(self.gain)

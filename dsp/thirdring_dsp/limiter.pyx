"""Look-ahead peak limiter for the signal at the agent's ear."""

from libc.math cimport exp, floor, pow
from libc.string cimport memcpy, memmove

cdef int64_t UNITY = 1 << 30  # gains are integers, so that running sums are exact
cdef double RELEASE_S = 0.1
cdef enum:
    MASK = LOOK_AHEAD_MAX - 1
    PIECE = 960


cdef class AcousticLimiter:
    """Keep every sample at or below a ceiling, by looking ahead.

    The gain begins to fall ``look_ahead_s`` before the sample that would be too large and is down
    when it comes out, so that no sample passes and none is clipped; it rises again in about 0.1 s.
    The ceiling is a digital magnitude: sound pressure at the ear (ITU-T P.360) follows from it only
    with the headset's calibration.

    Args:
        sample_rate_hz: 8000, 16000 or 48000.
        ceiling_dbov: largest magnitude of the output relative to 32768, -60 to 0 dB.
        look_ahead_s: delay of the signal, 0.0005 to 0.005.

    Raises:
        ValueError: an argument is outside its range.
    """

    def __cinit__(self, int sample_rate_hz, double ceiling_dbov=-6.0, double look_ahead_s=0.001):
        if not -60.0 <= ceiling_dbov <= 0.0:
            raise ValueError(f"ceiling_dbov must be between -60 and 0, not {ceiling_dbov}")
        if not 0.0005 <= look_ahead_s <= 0.005:
            raise ValueError(f"look_ahead_s must be between 0.0005 and 0.005, not {look_ahead_s}")
        self.ceiling_dbov = ceiling_dbov
        self.delay_samples = <int> (look_ahead_s * sample_rate_hz + 0.5)
        self.ceiling = <int> floor(32768.0 * pow(10.0, ceiling_dbov / 20.0))
        if self.ceiling > 32767:
            self.ceiling = 32767
        self.release = <int64_t> ((1.0 - exp(-1.0 / (RELEASE_S * sample_rate_hz))) * 65536.0) + 1
        self.clear()

    cdef void clear(self) noexcept nogil:
        cdef int i
        self.samples = self.limited = self.head = self.tail = 0
        self.last_over = -LOOK_AHEAD_MAX
        self.hold = UNITY
        self.held_sum = UNITY * (self.delay_samples + 1)
        for i in range(LOOK_AHEAD_MAX):
            self.delayed[i] = 0
            self.held[i] = UNITY

    cdef void feed(self, const short* samples, short* out, Py_ssize_t count) noexcept nogil:
        """Take count samples, give as many; out may be samples."""
        cdef int piece, i
        while count > 0:
            piece = <int> min(count, <Py_ssize_t> PIECE)
            if not self._pass(samples, out, piece):
                for i in range(piece):
                    out[i] = self._limit(samples[i])
            samples += piece
            out += piece
            count -= piece

    cdef bint _pass(self, const short* samples, short* out, int count) noexcept nogil:
        """Only delay the samples, if the limiter rests and nothing in them wakes it."""
        cdef int i, peak = 0, delay = self.delay_samples
        cdef short tail[LOOK_AHEAD_MAX]
        if (
            count < delay
            or self.samples - self.last_over <= delay
            or self.held_sum != UNITY * (delay + 1)
        ):
            return False
        for i in range(count):
            peak = max(peak, <int> samples[i] if samples[i] >= 0 else -<int> samples[i])
        if peak > self.ceiling:
            return False
        memcpy(tail, &samples[count - delay], delay * sizeof(short))
        memmove(&out[delay], samples, (count - delay) * sizeof(short))
        for i in range(delay):
            out[i] = self.delayed[(self.samples - delay + i) & MASK]
        self.samples += count
        for i in range(delay):
            self.delayed[(self.samples - delay + i) & MASK] = tail[i]
        for i in range(delay + 1):
            self.held[(self.samples - 1 - i) & MASK] = UNITY
        self.head = self.tail = 0  # the running minimum holds nothing below unity
        return True

    cdef short _limit(self, short sample) noexcept nogil:
        """Take a sample, return the limited one of delay_samples before."""
        cdef int magnitude = sample if sample >= 0 else -<int> sample
        cdef int delay = self.delay_samples
        cdef int64_t n = self.samples, allowed = UNITY, least
        cdef double y
        if magnitude > self.ceiling:
            allowed = (<int64_t> self.ceiling * UNITY) // magnitude
            self.last_over = n
        # least gain that any of the samples n - delay .. n allows
        while self.tail > self.head and self.allowed[(self.tail - 1) & MASK] >= allowed:
            self.tail -= 1
        self.allowed[self.tail & MASK] = allowed
        self.allowed_at[self.tail & MASK] = n
        self.tail += 1
        while self.allowed_at[self.head & MASK] < n - delay:
            self.head += 1
        least = self.allowed[self.head & MASK]
        # falls at once, rises by the release; averaged over the look-ahead it falls smoothly and
        # is down when the sample comes out: every averaged value lies below what that one allows
        self.hold += (((UNITY - self.hold) * self.release) >> 16) + 1
        if UNITY - self.hold < UNITY >> 7:
            self.hold = UNITY  # the last 0.07 dB at once, averaged over the look-ahead
        self.hold = min(self.hold, least)
        self.held_sum += self.hold - self.held[(n - delay - 1) & MASK]
        self.held[n & MASK] = self.hold
        self.delayed[n & MASK] = sample
        self.samples = n + 1
        sample = self.delayed[(n - delay) & MASK]
        if self.held_sum == UNITY * (delay + 1):
            return sample
        self.limited += 1
        y = <double> sample * <double> self.held_sum / <double> (UNITY * (delay + 1))
        return <short> y  # towards zero: never above

    @property
    def limited_samples(self):
        """Samples given out with less than unity gain since reset."""
        return self.limited

"""Speech apart from background in segments of 10 ms, and the level of the recent speech.

Shared by the level meter, the noise meter, the gain control and the gate; not public.
Powers are mean squares in int16 units.
"""

from libc.math cimport INFINITY, exp, fmax, fmin, ilogb, log10

from thirdring_dsp._p56 cimport THRESHOLDS, active_mean_square

cdef double ENVELOPE = exp(-1.0 / (0.03 * SEGMENTS_PER_S))  # P.56: time constant 30 ms
cdef int HANGOVER_SEGMENTS = 20  # P.56: 200 ms
cdef double LEAST_POWER = 270.0  # -66 dBov: P.56 threshold of speech at -50 dBov
cdef double QUIETEST_NOISE = 10.7  # -80 dBov: below this a line counts as silent
cdef double ABOVE_NOISE = 5.0  # speech stands 7 dB out of the background
cdef double QUIET_LINE = 54.0  # -73 dBov
cdef int FIRST_BLOCKS = 10
cdef double OPENS_DB = 6.0  # out of the background a gate begins to open ...
cdef double OPEN_DB = 11.0  # ... and is open
cdef double ONSET = 25.0  # 14 dB in a quarter of a segment
cdef double KNOWN_OPEN = 0.063  # -12 dB
cdef double KNOWN_KNEE_DB = 6.0
cdef double CLOSING = 0.1  # a segment
cdef double OUTLIER = 8.0  # a click or a breath does not lift the mean of the background
# Noise or a tone: the means of 100 ms lie within 5 dB for 1.2 s, with no dip of 8 dB between.
cdef double STEADY_RANGE = 3.2
cdef double STEADY_DIP = 6.3
# Variance of the power of 10 ms over its squared mean: white noise 0.02, pink 0.08, a long vowel from 0.1 on.
cdef double STEADY_MODULATION = 0.16


cdef class SegmentTracker:
    def __cinit__(self, int sample_rate_hz):
        self.segment_samples = sample_rate_hz // SEGMENTS_PER_S
        self.clear()

    cdef void clear(self) noexcept nogil:
        cdef int i
        self.p = self.q = 0.0
        self.segments = 0
        for i in range(16):
            self.reached[i] = -(HANGOVER_SEGMENTS + 1)
        self.fast = self.smooth = 0.0
        self.block_minimum = 1e30
        self.block_sum = self.block_squares = 0.0
        self.block_segments = 0
        for i in range(FLOOR_BLOCKS):
            self.minima[i] = 1e30
        for i in range(EVEN_BLOCKS):
            self.means[i] = self.squares[i] = 0.0
        self.blocks = 0
        self.floor_power = QUIET_LINE
        self.noise = self.floor_power
        self.noise_segments = 0
        self.voiced = self.active = False
        self.last_voiced = -(HANGOVER_SEGMENTS + 1)
        self.speech_segments = 0
        self.openness = self.reference = 0.0
        self.hold = 0

    cdef void push(self, uint64_t sum_abs, uint64_t energy) noexcept nogil:
        """Take one segment: the sum of its magnitudes and the sum of its squares."""
        cdef double power = <double> energy / self.segment_samples
        cdef double threshold
        cdef int octave, j, slot
        # P.56 envelope, its octave with hangover
        self.p = ENVELOPE * self.p + (1.0 - ENVELOPE) * (<double> sum_abs / self.segment_samples)
        self.q = ENVELOPE * self.q + (1.0 - ENVELOPE) * self.p
        if self.p < 1e-12:
            self.p = 0.0
        if self.q < 1e-12:
            self.q = 0.0
        octave = 0 if self.q < 1.0 else ilogb(self.q) + 1
        if octave > THRESHOLDS:
            octave = THRESHOLDS
        self.reached[octave] = self.segments
        for j in range(THRESHOLDS, octave, -1):
            if self.segments - self.reached[j] <= HANGOVER_SEGMENTS:
                octave = j
                break
        # background
        if self.segments == 0:
            self.smooth = self.fast = power
        self.smooth += 0.35 * (power - self.smooth)
        self.fast += 0.5 * (power - self.fast)
        if self.smooth < 1e-3:  # -120 dBov
            self.smooth = 0.0
        self.block_minimum = fmin(self.block_minimum, self.smooth)
        self.block_sum += power
        self.block_squares += power * power
        self.block_segments += 1
        if self.block_segments == BLOCK_SEGMENTS:
            self._end_block()
        # decision
        threshold = fmax(self.background() * ABOVE_NOISE, LEAST_POWER)
        self.voiced = self.fast > threshold
        if self.voiced:
            self.last_voiced = self.segments
        self.active = self.segments - self.last_voiced <= HANGOVER_SEGMENTS
        self._open()
        if self.active:
            slot = <int> (self.speech_segments % RING)
            self.energies[slot] = energy
            self.octaves[slot] = <uint8_t> octave
            self.speech_segments += 1
        else:
            self.noise_segments += 1
            power = fmin(power, OUTLIER * fmax(self.floor_power, QUIETEST_NOISE))
            self.noise += (power - self.noise) * fmax(0.01, 1.0 / self.noise_segments)
        self.segments += 1

    cdef void _open(self) noexcept nogil:
        """Open with the level above the background; once open, hold, then close smoothly."""
        cdef double share, wanted = 0.0
        if self.fast > LEAST_POWER:
            wanted = (10.0 * log10(self.fast / self.background()) - OPENS_DB) / (OPEN_DB - OPENS_DB)
            wanted = fmin(fmax(wanted, 0.0), 1.0)
            if self.fast < self.reference * KNOWN_OPEN:
                # far below the speech known here: the voices of others
                share = 1.0 + 10.0 * log10(self.fast / (self.reference * KNOWN_OPEN)) / KNOWN_KNEE_DB
                wanted *= fmax(share, 0.0)
        if wanted >= self.openness:
            self.openness = wanted
            self.hold = <int> (HANGOVER_SEGMENTS * wanted)
        elif self.hold > 0:
            self.hold -= 1
        else:
            self.openness = fmax(wanted, self.openness - CLOSING)

    cdef void glance(self, uint64_t energy, int count) noexcept nogil:
        """Open at once if a quarter of a segment is loud: speech begins."""
        cdef double power = <double> energy / count
        if power > fmax(ONSET * fmax(self.background(), LEAST_POWER), 0.1 * self.reference):
            self.openness = 1.0
            self.hold = HANGOVER_SEGMENTS

    cdef double _steady(self, int blocks, double most_modulation) noexcept nogil:
        """Return the lowest mean of the last blocks if they were of one steady sound, else 0."""
        cdef int i, k
        cdef double low = 1e30, high = 0.0, dip = 1e30, total = 0.0, squares = 0.0
        if self.blocks < blocks:
            return 0.0
        for i in range(1, blocks + 1):
            k = <int> ((self.blocks - i) % EVEN_BLOCKS)
            low = fmin(low, self.means[k])
            high = fmax(high, self.means[k])
            total += self.means[k]
            squares += self.squares[k]
            dip = fmin(dip, self.minima[(self.blocks - i) % FLOOR_BLOCKS])
        total /= blocks
        if squares / blocks > (1.0 + most_modulation) * total * total:
            return 0.0
        return low if high < STEADY_RANGE * low and low < STEADY_DIP * dip else 0.0

    cdef void _end_block(self) noexcept nogil:
        cdef int i
        cdef double low
        self.minima[self.blocks % FLOOR_BLOCKS] = self.block_minimum
        self.means[self.blocks % EVEN_BLOCKS] = self.block_sum / BLOCK_SEGMENTS
        self.squares[self.blocks % EVEN_BLOCKS] = self.block_squares / BLOCK_SEGMENTS
        self.blocks += 1
        low = fmax(self._steady(STEADY_BLOCKS, STEADY_MODULATION), self._steady(EVEN_BLOCKS, INFINITY))
        if low > 0.0:
            # A steady sound is background however loud: forget the quieter minima before it.
            for i in range(FLOOR_BLOCKS):
                self.minima[i] = fmax(self.minima[i], low)
            if not low / STEADY_RANGE <= self.noise <= low * STEADY_RANGE:
                self.noise = low
                self.noise_segments = BLOCK_SEGMENTS
        # Until a pause may be hoped for, assume that speech came first and the line is quiet.
        self.floor_power = self.minima[0] if self.blocks > FIRST_BLOCKS else QUIET_LINE
        for i in range(1, FLOOR_BLOCKS):
            self.floor_power = fmin(self.floor_power, self.minima[i])
        self.block_minimum = 1e30
        self.block_sum = self.block_squares = 0.0
        self.block_segments = 0

    cdef bint settled(self) noexcept nogil:
        """Return whether enough was heard to tell a steady noise from speech."""
        return self.blocks >= STEADY_BLOCKS

    cdef double noise_power(self) noexcept nogil:
        """Return the mean power of the background, 0 while none was heard."""
        if self.noise_segments >= BLOCK_SEGMENTS:
            return fmax(self.noise, self.floor_power) if self.floor_power > 0.0 else self.noise
        return self.floor_power if self.blocks > FIRST_BLOCKS else 0.0

    cdef double lowest_mean(self, int64_t segments) noexcept nogil:
        """Return the lowest mean power of 100 ms within the last segments, at most 3 s back."""
        cdef int64_t i, count = min(min(segments // BLOCK_SEGMENTS, <int64_t> EVEN_BLOCKS), self.blocks)
        cdef double low = INFINITY
        for i in range(1, count + 1):
            low = fmin(low, self.means[(self.blocks - i) % EVEN_BLOCKS])
        return low

    cdef double background(self) noexcept nogil:
        """Return the power of the background as the decisions take it, never quite silent."""
        cdef double lowest = fmax(self.floor_power, QUIETEST_NOISE)
        if self.noise_segments < BLOCK_SEGMENTS:
            return lowest
        return fmin(fmax(self.noise, lowest), 5.0 * lowest)

    cdef double speech_mean_square(self, int wanted_segments, int64_t since) noexcept nogil:
        """Return the P.56 active level of the last wanted_segments of active speech.

        Walks back until that much is active by P.56's own threshold, but not past the speech
        segment number since, nor past the memory; walked tells how many segments that took.
        """
        cdef int64_t active[THRESHOLDS]
        cdef int64_t histogram[16]
        cdef int64_t taken = 0, available = min(self.speech_segments - since, <int64_t> RING), target
        cdef uint64_t energy = 0, peak = 0
        cdef int64_t slot, count
        cdef double level = 0.0
        cdef int j
        for j in range(16):
            histogram[j] = 0
        target = min(<int64_t> wanted_segments, available)
        slot = (self.speech_segments - 1) % RING
        while taken < target:
            while taken < target:
                energy += self.energies[slot]
                peak = max(peak, self.energies[slot])
                histogram[self.octaves[slot]] += 1
                slot = slot - 1 if slot > 0 else RING - 1
                taken += 1
            count = 0
            for j in range(THRESHOLDS - 1, -1, -1):
                count += histogram[j + 1]
                active[j] = count * self.segment_samples
            level = active_mean_square(<double> energy, active)
            if level <= 0.0:
                break
            count = <int64_t> (wanted_segments - <double> energy / level / self.segment_samples)
            if count > 0:
                target = min(taken + count, available)
        self.walked = taken
        self.walked_peak = peak
        return level

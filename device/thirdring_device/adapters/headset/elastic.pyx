"""A buffer between two clocks that differ a little, and what moves samples between it and a sound device.

Both without the interpreter: the threads of a device come two hundred times a second each.
"""

from libc.math cimport M_PI, cos, fabs, rint, sin
from libc.stdint cimport int16_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memmove, memset
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec

cdef extern from "<pthread.h>" nogil:
    ctypedef struct pthread_mutex_t:
        pass
    int pthread_mutex_init(pthread_mutex_t*, void*)
    int pthread_mutex_lock(pthread_mutex_t*)
    int pthread_mutex_unlock(pthread_mutex_t*)
    int pthread_mutex_destroy(pthread_mutex_t*)

cdef enum:
    # Of the interpolation: samples before and after the one that is made up, steps between two samples.
    HALF = 8
    PHASES = 512
    # Windows that a late thread is remembered for: what is late once is late again, and each time is a hole.
    REMEMBERED = 10

# What is left after each ``take`` is watched for so long; the least of it is what is too much, or lacks.
cdef double WINDOW_S = 1.0
# Share of the margin by which the least may differ before anything is done.
cdef double TOLERANCE = 0.5
# Share of the limit that the buffer grows by at most for threads that come late.
MOST_GROWN = 0.2
cdef double GROWN = MOST_GROWN
# How much faster or slower the samples are used up than they came, at most: at 3400 Hz that is an error of
# 1.7 Hz, where ITU-T G.135 allows a telephone circuit 2 Hz. A USB host's clock is off by less (USB 2.0,
# 7.1.11: 500 ppm).
cdef double MOST_CHANGED = 0.0005

cdef double[PHASES][2 * HALF] KERNEL


cdef void _make_kernel() noexcept:
    """Band limited interpolation: a sinc within a window of Blackman's, its sum 1 at each phase."""
    cdef int phase, tap
    cdef double at, turn, total
    for phase in range(PHASES):
        total = 0.0
        for tap in range(2 * HALF):
            at = tap - (HALF - 1) - <double>phase / PHASES
            turn = M_PI * at
            KERNEL[phase][tap] = 1.0 if fabs(at) < 1e-12 else sin(turn) / turn
            KERNEL[phase][tap] *= 0.42 + 0.5 * cos(turn / HALF) + 0.08 * cos(2 * turn / HALF)
            total += KERNEL[phase][tap]
        for tap in range(2 * HALF):
            KERNEL[phase][tap] /= total


_make_kernel()

ctypedef long (*move_t)(void*, void*, unsigned long) noexcept nogil


cdef class ElasticBuffer:
    """Samples put by one thread, taken by another.

    After every ``take`` at least ``margin`` samples are to be left, so that a late ``put`` does not show, and
    not many more: by the least that was left in the last ten windows of a second. The drift of the two clocks
    is made up for by using up the samples a little faster or slower than they came, with band limited
    interpolation between them; without drift samples pass unchanged. Above ``limit`` the oldest are dropped.
    """

    cdef pthread_mutex_t _lock
    cdef int16_t* _kept
    # Samples used up last, those to come, and the newest ones, which wait: interpolation wants both sides.
    cdef int16_t* _data
    cdef long _window, _margin, _limit, _count, _watched, _missing
    cdef double _surplus, _part, _least
    # Still to be left out (made up below 0), and how far the next sample is behind the first one there.
    cdef double[REMEMBERED] _leasts
    # Least that would have been left in the last windows, were the buffer as long as now.
    cdef int _windows, _next
    cdef bint _flows
    cdef bint _settled
    # Whether the first window is over: at the beginning threads are late that will not be again.

    def __cinit__(self, long rate_hz, long margin, long limit):
        self._kept = <int16_t*>calloc(HALF + limit + HALF, sizeof(int16_t))
        if self._kept == NULL:
            raise MemoryError
        self._data = self._kept + HALF
        pthread_mutex_init(&self._lock, NULL)
        self._window = <long>(WINDOW_S * rate_hz)
        self._margin, self._limit = margin, limit
        self.clear()

    def __dealloc__(self):
        if self._kept != NULL:
            free(self._kept)
            pthread_mutex_destroy(&self._lock)

    @property
    def count(self) -> int:
        """Samples in it, but for half a millisecond of the newest, which comes out only when more has come."""
        return self._count

    @property
    def missing(self) -> int:
        """Samples that were not there in time since ``clear``, the beginning apart."""
        return self._missing

    def clear(self) -> None:
        """Begin anew."""
        pthread_mutex_lock(&self._lock)
        self._missing = self._count = 0
        self._settled = False
        self._stop_flowing()
        pthread_mutex_unlock(&self._lock)

    def put(self, const int16_t[::1] samples) -> None:
        """Append samples, at most ``limit``."""
        if samples.shape[0]:
            self.append(&samples[0], samples.shape[0])

    def take(self, int16_t[::1] out) -> int:
        """Fill ``out``; return how many samples were there, the rest of ``out`` is as it was."""
        return self.fill(&out[0], out.shape[0]) if out.shape[0] else 0

    cdef void append(self, const int16_t* samples, long count) noexcept nogil:
        cdef long dropped
        if count > self._limit:
            samples += count - self._limit
            count = self._limit
        pthread_mutex_lock(&self._lock)
        dropped = self._count + count - self._limit
        if dropped > 0:
            self._drop(dropped)
        memcpy(self._data + self._count + HALF, samples, count * sizeof(int16_t))
        self._count += count
        pthread_mutex_unlock(&self._lock)

    cdef long fill(self, int16_t* out, long wanted) noexcept nogil:
        cdef long used
        pthread_mutex_lock(&self._lock)
        used = self._fill(out, wanted)
        pthread_mutex_unlock(&self._lock)
        return used

    cdef long _fill(self, int16_t* out, long wanted) noexcept nogil:
        cdef long used
        if not self._flows:
            if self._count < wanted + self._margin:
                return 0
            self._drop(self._count - wanted - self._margin)
            self._flows = True
        if self._count < wanted:
            return self._too_few(out, wanted)
        if self._part == self._surplus == 0.0 or (self._surplus > 0 and self._count == wanted):
            memcpy(out, self._data, wanted * sizeof(int16_t))
            used = wanted
        else:
            used = self._resample(out, wanted)
        self._drop(used)
        self._watch(wanted)
        return wanted

    cdef long _too_few(self, int16_t* out, long wanted) noexcept nogil:
        """Give all there is; what is missing makes the buffer longer when it comes."""
        cdef long there = self._count
        memcpy(out, self._data, there * sizeof(int16_t))
        self._missing += wanted - there
        if there:
            self._surplus = min(rint(self._surplus + self._part), 0.0)
            self._part = 0.0
            self._grown(wanted - there)
            if self._settled:
                self._least = 0.0
            self._drop(there)
        else:
            self._stop_flowing()
        return there

    cdef void _stop_flowing(self) noexcept nogil:
        self._flows = False
        self._surplus = self._part = 0.0
        self._windows = self._next = 0
        self._watched = 0
        self._least = self._limit

    cdef long _resample(self, int16_t* out, long wanted) noexcept nogil:
        """Make ``wanted`` samples; return how many are used up, at most one more or fewer.

        None is larger than the largest there: what has passed the limiter for the ear stays below its limit.
        """
        cdef double position = self._part, step, changed = 0.0, value, peak = 0.0
        cdef const int16_t* near
        cdef const double* weights
        cdef long i, tap, at
        for i in range(-HALF, wanted + HALF):
            peak = max(peak, fabs(self._data[i]))
        for i in range(wanted):
            at = <long>position
            weights = KERNEL[<int>((position - at) * PHASES)]
            near = self._data + at - (HALF - 1)
            value = 0.0
            for tap in range(2 * HALF):
                value += weights[tap] * near[tap]
            out[i] = <int16_t>rint(min(max(value, -peak), min(peak, 32767.0)))
            step = min(max(self._surplus, -MOST_CHANGED), MOST_CHANGED)
            self._surplus -= step
            changed += step
            position += 1.0 + step
        if self._surplus == 0.0:
            position = rint(position)  # it ends at a sample: from now on they pass unchanged
        at = <long>position
        self._part = position - at
        self._grown(-changed)
        return at

    cdef void _grown(self, double samples) noexcept nogil:
        """Note that the buffer is longer by so much, for other reasons than its two threads."""
        cdef int i
        self._least += samples
        for i in range(self._windows):
            self._leasts[i] += samples

    cdef void _watch(self, long taken) noexcept nogil:
        self._least = min(self._least, self._count - self._part)
        self._watched += taken
        if self._watched < self._window:
            return
        if self._settled:
            self._leasts[self._next] = self._least
            self._next = (self._next + 1) % REMEMBERED
            self._windows = min(self._windows + 1, <int>REMEMBERED)
            self._make_up(self._too_long())
        self._settled = True
        self._watched = 0
        self._least = self._limit

    cdef double _too_long(self) noexcept nogil:
        """Return by how many samples the buffer is too long, below 0: too short."""
        cdef double least = self._leasts[0], most = self._leasts[0]
        cdef int i
        for i in range(1, self._windows):
            least = min(least, self._leasts[i])
            most = max(most, self._leasts[i])
        least -= self._margin
        if least > 0 and self._windows < REMEMBERED:
            least = 0.0
        return max(least, most - self._margin - GROWN * self._limit)

    cdef void _make_up(self, double surplus) noexcept nogil:
        cdef long dropped
        if surplus > self._limit // 4:  # after a standstill: one jump is better than a long delay
            dropped = min(<long>surplus, self._count)
            self._drop(dropped)
            self._grown(-dropped)
        elif surplus > TOLERANCE * self._margin or surplus < -TOLERANCE * self._margin:
            self._surplus = rint(surplus) - self._part

    cdef void _drop(self, long count) noexcept nogil:
        count = min(count, self._count)
        self._count -= count
        memmove(self._kept, self._kept + count, (HALF + self._count + HALF) * sizeof(int16_t))


cdef class Pump:
    """Moves blocks between a device and a buffer: an ear's out of the buffer, a microphone's into it."""

    cdef ElasticBuffer _buffer
    cdef int16_t* _block
    cdef unsigned long _size
    cdef bint _into
    cdef int _stop
    cdef double _moved_s

    def __cinit__(self, ElasticBuffer buffer, unsigned long block, *, bint into):
        self._block = <int16_t*>calloc(block, sizeof(int16_t))
        if self._block == NULL:
            raise MemoryError
        self._buffer, self._size, self._into = buffer, block, into
        self._moved_s = float("-inf")

    def __dealloc__(self):
        free(self._block)

    @property
    def moved_s(self) -> float:
        """When a block was moved last, on ``time.monotonic``; -inf after ``gone``."""
        return self._moved_s

    def gone(self) -> None:
        """Note that the device is not there."""
        self._moved_s = float("-inf")

    def stop(self) -> None:
        """Let ``run`` return 0 after the block that is under way."""
        self._stop = 1

    def run(self, size_t move, size_t device) -> int:
        """Call ``snd_pcm_readi`` or ``snd_pcm_writei`` at ``move`` until it fails; return its result.

        ``device``: the address of its ``snd_pcm_t``, which is opened blocking. Other threads have the
        interpreter meanwhile.
        """
        cdef long moved = 0
        with nogil:
            while not self._stop and moved >= 0:
                moved = self._once(<move_t>move, <void*>device)
        return moved if moved < 0 else 0

    cdef long _once(self, move_t move, void* device) noexcept nogil:
        cdef long given, moved
        cdef timespec now
        if not self._into:
            given = self._buffer.fill(self._block, self._size)
            memset(self._block + given, 0, (self._size - given) * sizeof(int16_t))
        moved = move(device, self._block, self._size)
        if moved > 0:
            if self._into:
                self._buffer.append(self._block, moved)
            clock_gettime(CLOCK_MONOTONIC, &now)
            self._moved_s = now.tv_sec + 1e-9 * now.tv_nsec
        return moved

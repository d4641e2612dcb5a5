"""Music in place of ringback: sound without the pauses of speech and without a steady level (inlined)."""

from libc.math cimport logf
from libc.stdint cimport int64_t
from libc.string cimport memset

cdef enum:
    MUSIC_FRAMES = 600        # 6 s

cdef struct Music:
    float power[600]          # of the last 6 s, a frame each
    float db[600]
    bint told

cdef inline void music_take(Music* music, int64_t hop, float power) noexcept nogil:
    """Take the power of the newest 10 ms."""
    music.power[hop % MUSIC_FRAMES] = power
    music.db[hop % MUSIC_FRAMES] = <float>4.342945 * logf(power + <float>1.0)

cdef inline bint music_heard(Music* music, float* mean_power) noexcept nogil:
    """Whether the last 6 s sound like music that has not been told of."""
    cdef int i, quiet = 0
    cdef float power = 0.0
    cdef double db = 0.0, squares = 0.0
    for i in range(MUSIC_FRAMES):
        power += music.power[i]
        db += music.db[i]
        squares += music.db[i] * music.db[i]
    power /= MUSIC_FRAMES
    for i in range(MUSIC_FRAMES):
        quiet += music.power[i] < <float>0.03 * power
    mean_power[0] = power
    # Below -50 dBov there is nothing to be heard.
    if quiet > 192 or power < <float>(32768.0 ** 2 * 1e-5):
        music.told = False
    return (
        not music.told
        and quiet <= 48
        and power >= <float>(32768.0 ** 2 * 1e-5)
        and squares / MUSIC_FRAMES - (db / MUSIC_FRAMES) ** 2 >= 1.2 ** 2
    )

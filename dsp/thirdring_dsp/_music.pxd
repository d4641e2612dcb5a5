"""Music in place of ringback: sound without the pauses of speech and without a steady level (inlined)."""

from libc.math cimport logf
from libc.stdint cimport int64_t
from libc.string cimport memset

cdef enum:
    MUSIC_FRAMES = 600        # 6 s
    TOO_NEW_FRAMES = 50

cdef struct Music:
    float power[600]          # of the last 6 s, a frame each
    float db[600]
    bint toned[600]           # covered by a steady burst of a tone of the plan
    bint told

cdef inline void music_take(Music* music, int64_t hop, float power) noexcept nogil:
    """Take the power of the newest 10 ms."""
    music.power[hop % MUSIC_FRAMES] = power
    music.toned[hop % MUSIC_FRAMES] = False
    music.db[hop % MUSIC_FRAMES] = <float>4.342945 * logf(power + <float>1.0)

cdef inline void music_tone(Music* music, int64_t first, int64_t end, int64_t hop) noexcept nogil:
    """Note a steady burst of a tone over hops, with their neighbours; ``hop`` is the newest."""
    cdef int64_t i
    for i in range(max(first - 1, hop - MUSIC_FRAMES + 1, 0), min(end + 2, hop + 1)):
        music.toned[i % MUSIC_FRAMES] = True

cdef inline bint music_heard(Music* music, int64_t hop, float* mean_power) noexcept nogil:
    """Whether the last 6 s but for the newest half second sound like music that has not been told of.

    That half second may hold a burst of a tone that is not known to be one yet.
    """
    cdef int age, i, quiet = 0, toned = 0, heard = MUSIC_FRAMES - TOO_NEW_FRAMES
    cdef float power = 0.0
    cdef double db = 0.0, squares = 0.0
    for age in range(TOO_NEW_FRAMES, MUSIC_FRAMES):
        power += music.power[(hop - age) % MUSIC_FRAMES]
    power /= heard
    for age in range(TOO_NEW_FRAMES, MUSIC_FRAMES):
        i = <int>((hop - age) % MUSIC_FRAMES)
        quiet += music.power[i] < <float>0.03 * power
        toned += music.toned[i]
        # Beside a tone there may be steady noise.
        if not music.toned[i]:
            db += music.db[i]
            squares += music.db[i] * music.db[i]
    db /= max(1, heard - toned)
    squares /= max(1, heard - toned)
    mean_power[0] = power
    # Below -50 dBov there is nothing to be heard.
    if quiet > 176 or power < <float>(32768.0 ** 2 * 1e-5):
        music.told = False
    return (
        not music.told
        and quiet <= 44
        # A tone of the network sounds longer; notes of music are on its frequency now and then.
        and toned < 60
        and power >= <float>(32768.0 ** 2 * 1e-5)
        and squares - db * db >= 1.2 ** 2
    )

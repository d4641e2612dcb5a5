# The last step of ITU-T P.56 method B, shared by the meters. Levels are in int16 units.
from libc.math cimport INFINITY, log10, pow
from libc.stdint cimport int64_t

cdef enum:
    THRESHOLDS = 15  # 2^0 .. 2^14 of 2^15: one per bit below the overload point (P.56 table 1)


cdef inline double active_mean_square(double energy, const int64_t* active) noexcept nogil:
    """Return the mean square while active, 0 when there is no speech.

    energy is the sum of squares, active[j] the samples counted active with threshold 2^j.
    """
    cdef int j
    cdef double margin_db = 15.9  # P.56: the threshold lies this far below the active level
    cdef double margin = 38.90451449942807  # 10^1.59
    cdef double square = 1.0, difference, above_db, here_db, above_level, share
    if active[0] <= 0 or energy / active[0] < margin:
        return 0.0
    for j in range(1, THRESHOLDS):
        square *= 4.0
        if active[j] <= 0:
            return energy / active[j - 1]
        if energy <= square * margin * active[j]:
            # P.56 clause on interpolation: linear in dB between the two neighbours.
            above_level = 10.0 * log10(energy / active[j - 1])
            above_db = above_level - 10.0 * log10(square / 4.0)
            here_db = 10.0 * log10(energy / active[j]) - 10.0 * log10(square)
            difference = above_db - here_db
            share = (above_db - margin_db) / difference if difference > 0.0 else 0.0
            return pow(
                10.0,
                (above_level + share * 10.0 * log10(<double> active[j - 1] / active[j])) / 10.0,
            )
    return energy / active[THRESHOLDS - 1]


cdef inline double dbov(double mean_square) noexcept nogil:
    """Return the level of a mean square in int16 units (ITU-T G.100.1), -inf for 0."""
    if mean_square <= 0.0:
        return -INFINITY
    return 10.0 * log10(mean_square / 1073741824.0)

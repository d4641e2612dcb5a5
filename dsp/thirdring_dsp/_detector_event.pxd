"""What a detector hands over while it runs without the GIL."""

from libc.stdint cimport int64_t

cdef enum:
    # A detector stops taking samples when fewer than four places are free; the caller drains and goes on.
    DETECTOR_EVENTS_MAX = 16

cdef struct DetectorEvent:
    int kind                 # the detector's own enumeration
    int value                # the detector's own: a character, a frequency, ...
    double start_s
    double end_s
    float level_dbov
    float level_dbm0

cdef struct DetectorEvents:
    int count
    DetectorEvent items[16]  # DETECTOR_EVENTS_MAX

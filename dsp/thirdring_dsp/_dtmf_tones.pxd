"""The tones of DTMF and the filters that hear them (ITU-T Q.23)."""

from libc.stdint cimport int16_t

cdef enum:
    TAPS = 80
    HOP = 12                # samples at 8 kHz: 1.5 ms

cdef double HOP_S
cdef float LOW_HZ[4]
cdef float HIGH_HZ[4]
cdef double LOW_CENTRE_HZ
cdef double HIGH_CENTRE_HZ
cdef int16_t* COEFFICIENTS              # rows: low band real, imaginary, high band real, imaginary
cdef float HIGH_PASS_GAIN
cdef int16_t HIGH_PASS[TAPS]            # passes what is above the dial tones of the world
cdef float LOW_TO_TONE_POWER[4]         # from an envelope's power to the tone's
cdef float HIGH_TO_TONE_POWER[4]

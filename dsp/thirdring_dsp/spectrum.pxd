# The power spectrum the talk detectors look at: 256 samples at 8 kHz, 31.25 Hz a bin.

cdef enum:
    FRAME = 256
    HALF = 128
    BINS = 112  # up to 3469 Hz

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    /* Natural logarithm of a positive float, absolute error below 1e-6; no table, no branch. */
    static inline float thirdring_ln(float x) {
        int32_t bits; float m, e;
        memcpy(&bits, &x, 4);
        e = (float)((bits >> 23) - 127);
        bits = (bits & 0x007fffff) | 0x3f800000;
        memcpy(&m, &bits, 4);
        m -= 1.0f;
        m = m * (0.999982328f + m * (-0.49947208f + m * (0.328137605f + m * (-0.225339781f
            + m * (0.133531401f + m * (-0.0541102248f + m * 0.0104179491f))))));
        return e * 0.693147181f + m;
    }
    /* tanh, absolute error below 1e-4, by a continued fraction; no branch. */
    static inline float thirdring_tanh(float x) {
        float s;
        x = x > 4.97f ? 4.97f : x;
        x = x < -4.97f ? -4.97f : x;
        s = x * x;
        return x * (135135.0f + s * (17325.0f + s * (378.0f + s)))
            / (135135.0f + s * (62370.0f + s * (3150.0f + s * 28.0f)));
    }
    """
    float thirdring_ln(float x) noexcept nogil
    float thirdring_tanh(float x) noexcept nogil

cdef void power_spectrum(const float* samples, float* power) noexcept nogil

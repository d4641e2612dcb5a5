# cython: language_level=3
"""A 256-point real FFT: 128 complex points, Stockham radix 4, 4, 4, 2."""

from libc.math cimport M_PI, cos, sin

cdef float[FRAME] window
cdef float[42 * 3] twiddle_re, twiddle_im  # three factors a butterfly: 32 + 8 + 2 butterflies
cdef float[BINS] unpack_re, unpack_im
cdef float scale


cdef void _prepare() noexcept nogil:
    cdef int i, k, n, at = 0
    cdef double total = 0.0, value
    global scale
    for i in range(FRAME):
        value = 0.5 - 0.5 * cos(2 * M_PI * i / FRAME)
        window[i] = <float>value
        total += value * value
    # One-sided, so that the bins of a signal sum to its mean square; full scale is 1.
    scale = <float>(2.0 / (FRAME * total) / (32768.0 * 32768.0))
    n = HALF
    while n >= 8:
        for i in range(n // 4):
            for k in range(1, 4):
                twiddle_re[at] = <float>cos(2 * M_PI * i * k / n)
                twiddle_im[at] = <float>-sin(2 * M_PI * i * k / n)
                at += 1
        n //= 4
    for i in range(BINS):
        unpack_re[i] = <float>cos(2 * M_PI * i / FRAME)
        unpack_im[i] = <float>-sin(2 * M_PI * i / FRAME)


_prepare()


cdef inline void _radix4(
    int n, int stride, const float* wr, const float* wi,
    const float* xr, const float* xi, float* yr, float* yi,
) noexcept nogil:
    cdef int p, q, quarter = n // 4 * stride
    cdef const float* ar
    cdef const float* ai
    cdef float* br
    cdef float* bi
    cdef float apc_r, apc_i, amc_r, amc_i, bpd_r, bpd_i, bmd_r, bmd_i, tr, ti
    cdef float w1r, w1i, w2r, w2i, w3r, w3i
    for p in range(n // 4):
        w1r = wr[3 * p]; w1i = wi[3 * p]
        w2r = wr[3 * p + 1]; w2i = wi[3 * p + 1]
        w3r = wr[3 * p + 2]; w3i = wi[3 * p + 2]
        ar = xr + stride * p
        ai = xi + stride * p
        br = yr + stride * 4 * p
        bi = yi + stride * 4 * p
        for q in range(stride):
            apc_r = ar[q] + ar[q + 2 * quarter]; apc_i = ai[q] + ai[q + 2 * quarter]
            amc_r = ar[q] - ar[q + 2 * quarter]; amc_i = ai[q] - ai[q + 2 * quarter]
            bpd_r = ar[q + quarter] + ar[q + 3 * quarter]
            bpd_i = ai[q + quarter] + ai[q + 3 * quarter]
            bmd_r = ar[q + quarter] - ar[q + 3 * quarter]
            bmd_i = ai[q + quarter] - ai[q + 3 * quarter]
            br[q] = apc_r + bpd_r
            bi[q] = apc_i + bpd_i
            tr = amc_r + bmd_i; ti = amc_i - bmd_r
            br[q + stride] = w1r * tr - w1i * ti
            bi[q + stride] = w1r * ti + w1i * tr
            tr = apc_r - bpd_r; ti = apc_i - bpd_i
            br[q + 2 * stride] = w2r * tr - w2i * ti
            bi[q + 2 * stride] = w2r * ti + w2i * tr
            tr = amc_r - bmd_i; ti = amc_i + bmd_r
            br[q + 3 * stride] = w3r * tr - w3i * ti
            bi[q + 3 * stride] = w3r * ti + w3i * tr


cdef void power_spectrum(const float* samples, float* power) noexcept nogil:
    """Write the power of bins 0 to ``BINS - 1`` of 256 samples (int16 range), Hann windowed."""
    cdef float[HALF] ar, ai, br, bi
    cdef int k, m
    cdef float even_r, even_i, odd_r, odd_i, re, im
    for k in range(HALF):
        ar[k] = samples[2 * k] * window[2 * k]
        ai[k] = samples[2 * k + 1] * window[2 * k + 1]
    _radix4(128, 1, twiddle_re, twiddle_im, ar, ai, br, bi)
    _radix4(32, 4, twiddle_re + 96, twiddle_im + 96, br, bi, ar, ai)
    _radix4(8, 16, twiddle_re + 120, twiddle_im + 120, ar, ai, br, bi)
    for k in range(64):
        ar[k] = br[k] + br[k + 64]; ai[k] = bi[k] + bi[k + 64]
        ar[k + 64] = br[k] - br[k + 64]; ai[k + 64] = bi[k] - bi[k + 64]
    power[0] = 2 * scale * (ar[0] + ai[0]) * (ar[0] + ai[0])
    for k in range(1, BINS):
        m = HALF - k
        even_r = ar[k] + ar[m]; even_i = ai[k] - ai[m]
        odd_r = ai[k] + ai[m]; odd_i = ar[m] - ar[k]
        re = even_r + unpack_re[k] * odd_r - unpack_im[k] * odd_i
        im = even_i + unpack_re[k] * odd_i + unpack_im[k] * odd_r
        power[k] = 0.25 * scale * (re * re + im * im)

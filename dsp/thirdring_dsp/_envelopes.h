/* Two complex envelopes side by side: low band real and imaginary, high band real and imaginary.
 *
 * Results stand as low real, high real, low imaginary, high imaginary. Compilers shuffle such pairs
 * about more than they calculate: hence SSE2 by hand, and plain C for the other processors. */
#ifndef THIRDRING_ENVELOPES_H
#define THIRDRING_ENVELOPES_H

#if defined(__SSE2__)
#include <emmintrin.h>

#define ENVELOPE_SWAP(x) _mm_shuffle_ps(x, x, _MM_SHUFFLE(2, 3, 0, 1))

/* From products by pairs to sums (re) and differences (im) of the pairs. */
static inline __m128 envelope_join(__m128 re, __m128 im)
{
    const __m128 even = _mm_shuffle_ps(re, im, _MM_SHUFFLE(2, 0, 2, 0));
    const __m128 odd = _mm_shuffle_ps(re, im, _MM_SHUFFLE(3, 1, 3, 1));
    return _mm_add_ps(even, _mm_xor_ps(odd, _mm_setr_ps(0.0f, 0.0f, -0.0f, -0.0f)));
}

/* The powers of both bands. */
static inline void envelope_power(const float *x, float *power)
{
    const __m128 v = _mm_loadu_ps(x), squares = _mm_mul_ps(v, v);
    const __m128 sums = _mm_add_ps(squares, ENVELOPE_SWAP(squares));
    _mm_storel_pi((__m64 *)power, _mm_shuffle_ps(sums, sums, _MM_SHUFFLE(2, 0, 2, 0)));
}

/* The phase steps from a to b and from b to c, summed. */
static inline void envelope_steps(const float *a, const float *b, const float *c, float *steps)
{
    const __m128 first = _mm_loadu_ps(a), middle = _mm_loadu_ps(b), last = _mm_loadu_ps(c);
    const __m128 re = _mm_mul_ps(middle, _mm_add_ps(first, last));
    const __m128 im = _mm_mul_ps(ENVELOPE_SWAP(middle), _mm_sub_ps(first, last));
    _mm_storeu_ps(steps, envelope_join(re, im));
}

/* The phase steps over lag hops, summed over every other hop from first + lag to end of a ring. */
static inline void envelope_lag(const float (*ring)[4], int mask, int first, int end, int lag, float *steps)
{
    __m128 re = _mm_setzero_ps(), im = re;
    for (int i = first + lag; i < end; i += 2) {
        const __m128 now = _mm_loadu_ps(ring[i & mask]), before = _mm_loadu_ps(ring[(i - lag) & mask]);
        re = _mm_add_ps(re, _mm_mul_ps(now, before));
        im = _mm_add_ps(im, _mm_mul_ps(ENVELOPE_SWAP(now), before));
    }
    _mm_storeu_ps(steps, envelope_join(re, im));
}

/* The sum of every other hop from first to end, each turned back by turn (as the envelopes stand) once
 * more than the one before; their power without turning is added to what is there. */
static inline void envelope_sum(
    const float (*ring)[4], int mask, int first, int end, const float *turn, float *sum, float *power)
{
    const __m128 t = _mm_loadu_ps(turn), sign = _mm_setr_ps(-0.0f, 0.0f, -0.0f, 0.0f);
    const __m128 re = _mm_shuffle_ps(t, t, _MM_SHUFFLE(2, 2, 0, 0));
    const __m128 im = _mm_xor_ps(_mm_shuffle_ps(t, t, _MM_SHUFFLE(3, 3, 1, 1)), sign);
    __m128 s = _mm_setzero_ps(), squares = s;
    for (int i = end - 1 - ((end - 1 - first) & 1); i >= first; i -= 2) {
        const __m128 x = _mm_loadu_ps(ring[i & mask]);
        s = _mm_add_ps(_mm_add_ps(_mm_mul_ps(s, re), _mm_mul_ps(ENVELOPE_SWAP(s), im)), x);
        squares = _mm_add_ps(squares, _mm_mul_ps(x, x));
    }
    float apart[4];
    _mm_storeu_ps(sum, s);
    _mm_storeu_ps(apart, squares);
    power[0] += apart[0] + apart[1];
    power[1] += apart[2] + apart[3];
}

#else

static inline void envelope_power(const float *x, float *power)
{
    power[0] = x[0] * x[0] + x[1] * x[1];
    power[1] = x[2] * x[2] + x[3] * x[3];
}

static inline void envelope_steps(const float *a, const float *b, const float *c, float *steps)
{
    for (int k = 0; k < 2; k++) {
        steps[k] = b[2 * k] * (a[2 * k] + c[2 * k]) + b[2 * k + 1] * (a[2 * k + 1] + c[2 * k + 1]);
        steps[k + 2] = b[2 * k + 1] * (a[2 * k] - c[2 * k]) - b[2 * k] * (a[2 * k + 1] - c[2 * k + 1]);
    }
}

static inline void envelope_lag(const float (*ring)[4], int mask, int first, int end, int lag, float *steps)
{
    for (int k = 0; k < 4; k++)
        steps[k] = 0.0f;
    for (int i = first + lag; i < end; i += 2) {
        const float *now = ring[i & mask], *before = ring[(i - lag) & mask];
        for (int k = 0; k < 2; k++) {
            steps[k] += now[2 * k] * before[2 * k] + now[2 * k + 1] * before[2 * k + 1];
            steps[k + 2] += now[2 * k + 1] * before[2 * k] - now[2 * k] * before[2 * k + 1];
        }
    }
}

static inline void envelope_sum(
    const float (*ring)[4], int mask, int first, int end, const float *turn, float *sum, float *power)
{
    for (int k = 0; k < 2; k++) {
        float re = 0.0f, im = 0.0f;
        for (int i = end - 1 - ((end - 1 - first) & 1); i >= first; i -= 2) {
            const float *x = ring[i & mask] + 2 * k;
            const float was = re;
            re = re * turn[2 * k] - im * turn[2 * k + 1] + x[0];
            im = im * turn[2 * k] + was * turn[2 * k + 1] + x[1];
            power[k] += x[0] * x[0] + x[1] * x[1];
        }
        sum[2 * k] = re;
        sum[2 * k + 1] = im;
    }
}

#endif

#endif

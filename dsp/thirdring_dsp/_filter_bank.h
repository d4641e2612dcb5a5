/* FIR filters over one window of 16-bit samples, summed exactly in 32 bits: one filter, or four at once.
 *
 * rows: 4 * taps coefficients, one filter after the other; taps a multiple of 8.
 * The four sums are divided by 65536, so that their powers stay in the range of a float.
 * The sum of a filter's magnitudes must stay below 65536. Compilers find the multiply-add instructions
 * by themselves but neither the four sums at once nor, for short filters, that they pay: hence SSE2 by
 * hand. */
#ifndef THIRDRING_FILTER_BANK_H
#define THIRDRING_FILTER_BANK_H

#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>

static inline void filter_bank_4(const int16_t *window, const int16_t *rows, int taps, float *out)
{
    __m128i a = _mm_setzero_si128(), b = a, c = a, d = a;
#pragma GCC unroll 5 /* a whole unrolling runs out of registers */
    for (int i = 0; i < taps; i += 8) {
        const __m128i x = _mm_loadu_si128((const __m128i *)(window + i));
        a = _mm_add_epi32(a, _mm_madd_epi16(x, _mm_loadu_si128((const __m128i *)(rows + i))));
        b = _mm_add_epi32(b, _mm_madd_epi16(x, _mm_loadu_si128((const __m128i *)(rows + taps + i))));
        c = _mm_add_epi32(c, _mm_madd_epi16(x, _mm_loadu_si128((const __m128i *)(rows + 2 * taps + i))));
        d = _mm_add_epi32(d, _mm_madd_epi16(x, _mm_loadu_si128((const __m128i *)(rows + 3 * taps + i))));
    }
    const __m128i ab = _mm_add_epi32(_mm_unpacklo_epi32(a, b), _mm_unpackhi_epi32(a, b));
    const __m128i cd = _mm_add_epi32(_mm_unpacklo_epi32(c, d), _mm_unpackhi_epi32(c, d));
    const __m128i sums = _mm_add_epi32(_mm_unpacklo_epi64(ab, cd), _mm_unpackhi_epi64(ab, cd));
    _mm_storeu_ps(out, _mm_mul_ps(_mm_cvtepi32_ps(sums), _mm_set1_ps(1.0f / 65536.0f)));
}

/* The same for other sums than 65536: the first two to one place, the other two to another. */
static inline void correlate_4(
    const int16_t *window, const int16_t *rows, int taps, float scale, float *one, float *other)
{
    float sums[4];
    filter_bank_4(window, rows, taps, sums);
    const __m128 scaled = _mm_mul_ps(_mm_loadu_ps(sums), _mm_set1_ps(65536.0f * scale));
    _mm_storel_pi((__m64 *)one, scaled);
    _mm_storeh_pi((__m64 *)other, scaled);
}

static inline int32_t filter_one(const int16_t *window, const int16_t *row, int taps)
{
    __m128i a = _mm_setzero_si128();
    for (int i = 0; i < taps; i += 8)
        a = _mm_add_epi32(a, _mm_madd_epi16(_mm_loadu_si128((const __m128i *)(window + i)),
                                            _mm_loadu_si128((const __m128i *)(row + i))));
    a = _mm_add_epi32(a, _mm_shuffle_epi32(a, 0x4e));
    a = _mm_add_epi32(a, _mm_shuffle_epi32(a, 0xb1));
    return _mm_cvtsi128_si32(a);
}

/* The sum of squares divided by 256, of pairs of samples rounded down; count a multiple of 4. */
static inline int32_t sum_squares_256(const int16_t *samples, int count)
{
    __m128i a = _mm_setzero_si128();
    int i = 0;
    for (; i + 8 <= count; i += 8) {
        const __m128i x = _mm_loadu_si128((const __m128i *)(samples + i));
        a = _mm_add_epi32(a, _mm_srli_epi32(_mm_madd_epi16(x, x), 8));
    }
    if (i < count) {
        const __m128i x = _mm_loadl_epi64((const __m128i *)(samples + i));
        a = _mm_add_epi32(a, _mm_srli_epi32(_mm_madd_epi16(x, x), 8));
    }
    a = _mm_add_epi32(a, _mm_shuffle_epi32(a, 0x4e));
    a = _mm_add_epi32(a, _mm_shuffle_epi32(a, 0xb1));
    return _mm_cvtsi128_si32(a);
}

/* The sum, and the sum of squares divided by 32, of pairs of samples rounded down; count a multiple of 8. */
static inline void sum_and_squares_32(const int16_t *samples, int count, int32_t *sum, uint32_t *squares)
{
    const __m128i one = _mm_set1_epi16(1);
    __m128i a = _mm_setzero_si128(), b = a;
    for (int i = 0; i < count; i += 8) {
        const __m128i x = _mm_loadu_si128((const __m128i *)(samples + i));
        a = _mm_add_epi32(a, _mm_madd_epi16(x, one));
        b = _mm_add_epi32(b, _mm_srli_epi32(_mm_madd_epi16(x, x), 5));
    }
    a = _mm_add_epi32(_mm_unpacklo_epi32(a, b), _mm_unpackhi_epi32(a, b));
    a = _mm_add_epi32(a, _mm_shuffle_epi32(a, 0x4e));
    *sum = _mm_cvtsi128_si32(a);
    *squares = (uint32_t)_mm_cvtsi128_si32(_mm_shuffle_epi32(a, 0x55));
}

/* One filter at four windows, ``step`` samples apart; row has a gain of 2**15; rounded and saturated. */
static inline void decimate_4(const int16_t *window, const int16_t *row, int taps, int step, int16_t *out)
{
    __m128i a = _mm_setzero_si128(), b = a, c = a, d = a;
    for (int i = 0; i < taps; i += 8) {
        const __m128i k = _mm_loadu_si128((const __m128i *)(row + i));
        a = _mm_add_epi32(a, _mm_madd_epi16(k, _mm_loadu_si128((const __m128i *)(window + i))));
        b = _mm_add_epi32(b, _mm_madd_epi16(k, _mm_loadu_si128((const __m128i *)(window + step + i))));
        c = _mm_add_epi32(c, _mm_madd_epi16(k, _mm_loadu_si128((const __m128i *)(window + 2 * step + i))));
        d = _mm_add_epi32(d, _mm_madd_epi16(k, _mm_loadu_si128((const __m128i *)(window + 3 * step + i))));
    }
    const __m128i ab = _mm_add_epi32(_mm_unpacklo_epi32(a, b), _mm_unpackhi_epi32(a, b));
    const __m128i cd = _mm_add_epi32(_mm_unpacklo_epi32(c, d), _mm_unpackhi_epi32(c, d));
    __m128i sums = _mm_add_epi32(_mm_unpacklo_epi64(ab, cd), _mm_unpackhi_epi64(ab, cd));
    sums = _mm_srai_epi32(_mm_add_epi32(sums, _mm_set1_epi32(1 << 14)), 15);
    _mm_storel_epi64((__m128i *)out, _mm_packs_epi32(sums, sums));
}

#else

static inline void decimate_4(const int16_t *window, const int16_t *row, int taps, int step, int16_t *out)
{
    for (int k = 0; k < 4; k++) {
        int32_t a = 1 << 14;
        for (int i = 0; i < taps; i++)
            a += (int32_t)window[k * step + i] * row[i];
        a >>= 15;
        out[k] = (int16_t)(a > 32767 ? 32767 : a < -32768 ? -32768 : a);
    }
}

static inline void filter_bank_4(const int16_t *window, const int16_t *rows, int taps, float *out)
{
    int32_t a = 0, b = 0, c = 0, d = 0;
    for (int i = 0; i < taps; i++) {
        a += (int32_t)window[i] * rows[i];
        b += (int32_t)window[i] * rows[taps + i];
        c += (int32_t)window[i] * rows[2 * taps + i];
        d += (int32_t)window[i] * rows[3 * taps + i];
    }
    out[0] = (float)a / 65536.0f;
    out[1] = (float)b / 65536.0f;
    out[2] = (float)c / 65536.0f;
    out[3] = (float)d / 65536.0f;
}

static inline int32_t filter_one(const int16_t *window, const int16_t *row, int taps)
{
    int32_t a = 0;
    for (int i = 0; i < taps; i++)
        a += (int32_t)window[i] * row[i];
    return a;
}

static inline void correlate_4(
    const int16_t *window, const int16_t *rows, int taps, float scale, float *one, float *other)
{
    float sums[4];
    filter_bank_4(window, rows, taps, sums);
    one[0] = sums[0] * 65536.0f * scale;
    one[1] = sums[1] * 65536.0f * scale;
    other[0] = sums[2] * 65536.0f * scale;
    other[1] = sums[3] * 65536.0f * scale;
}

static inline int32_t sum_squares_256(const int16_t *samples, int count)
{
    uint32_t a = 0;
    for (int i = 0; i < count; i += 2)
        a += ((uint32_t)(samples[i] * samples[i]) + (uint32_t)(samples[i + 1] * samples[i + 1])) >> 8;
    return (int32_t)a;
}

static inline void sum_and_squares_32(const int16_t *samples, int count, int32_t *sum, uint32_t *squares)
{
    int32_t a = 0;
    uint32_t b = 0;
    for (int i = 0; i < count; i += 2) {
        a += samples[i] + samples[i + 1];
        b += ((uint32_t)(samples[i] * samples[i]) + (uint32_t)(samples[i + 1] * samples[i + 1])) >> 5;
    }
    *sum = a;
    *squares = b;
}

#endif

#endif

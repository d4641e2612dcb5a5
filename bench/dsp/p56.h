/* Active speech level of ITU-T P.56 (12/2011) method B, the way the Recommendation writes it down. */
#ifndef P56_H
#define P56_H

#include <stdint.h>

enum { P56_THRESHOLDS = 15 };

typedef struct {
    double gain;                          /* g = exp(-t / T) */
    double p, q;                          /* the magnitude, averaged once and twice */
    double square_sum;
    double threshold[P56_THRESHOLDS];     /* c_j, relative to the overload point */
    long active[P56_THRESHOLDS];          /* a_j, samples */
    long hangover[P56_THRESHOLDS];        /* h_j, samples since q last reached c_j */
    long hangover_samples;                /* I = H / t */
    long samples;
} p56_t;

void p56_init(p56_t *meter, double sample_rate_hz);
void p56_update(p56_t *meter, const int16_t *samples, long count);

/* Returns the active level in dBov, -HUGE_VAL for none, and stores the activity factor in percent. The margin is
 * searched by bisection until it is met to within tolerance_db. */
double p56_result(const p56_t *meter, double tolerance_db, double *activity_percent);

/* All of it for one recording. */
double p56_measure(const int16_t *samples, long count, double sample_rate_hz, double tolerance_db,
                   double *activity_percent);

#endif

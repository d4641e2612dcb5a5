/* Written from ITU-T P.56 (12/2011) clause 6 and kept as plain as the text: every sample updates every threshold, in
 * double precision. The software tool library of ITU-T G.191 does the same. It is a peer in cost and a third opinion
 * on levels; nothing of the product uses it.
 */
#include "p56.h"

#include <math.h>

static const double TIME_CONSTANT_S = 0.03; /* T */
static const double HANGOVER_S = 0.2;       /* H */
static const double MARGIN_DB = 15.9;       /* M */

void p56_init(p56_t *meter, double sample_rate_hz)
{
    meter->gain = exp(-1.0 / (sample_rate_hz * TIME_CONSTANT_S));
    meter->p = meter->q = meter->square_sum = 0.0;
    meter->hangover_samples = (long)floor(HANGOVER_S * sample_rate_hz + 0.5);
    meter->samples = 0;
    for (int j = 0; j < P56_THRESHOLDS; j++) {
        meter->threshold[j] = ldexp(1.0, j - P56_THRESHOLDS);
        meter->active[j] = 0;
        meter->hangover[j] = meter->hangover_samples;
    }
}

void p56_update(p56_t *meter, const int16_t *samples, long count)
{
    double g = meter->gain;
    for (long i = 0; i < count; i++) {
        double x = samples[i] / 32768.0;
        meter->square_sum += x * x;
        meter->samples++;
        meter->p = g * meter->p + (1.0 - g) * fabs(x);
        meter->q = g * meter->q + (1.0 - g) * meter->p;
        for (int j = 0; j < P56_THRESHOLDS; j++) {
            if (meter->q >= meter->threshold[j]) {
                meter->active[j]++;
                meter->hangover[j] = 0;
            } else if (meter->hangover[j] < meter->hangover_samples) {
                meter->active[j]++;
                meter->hangover[j]++;
            }
        }
    }
}

/* The level between two thresholds at which it lies the margin above the threshold. */
static double bisect(double upper_db, double lower_db, double upper_threshold_db, double lower_threshold_db,
                     double tolerance_db)
{
    double level_db = upper_db, threshold_db = upper_threshold_db;
    double high = upper_db, low = lower_db, high_threshold = upper_threshold_db, low_threshold = lower_threshold_db;
    for (int turn = 0; turn < 60; turn++) {
        double excess_db = level_db - threshold_db - MARGIN_DB;
        if (fabs(excess_db) < tolerance_db)
            break;
        if (excess_db > 0.0) { /* the threshold is too low */
            low = level_db;
            low_threshold = threshold_db;
        } else {
            high = level_db;
            high_threshold = threshold_db;
        }
        level_db = (high + low) / 2.0;
        threshold_db = (high_threshold + low_threshold) / 2.0;
    }
    return level_db;
}

double p56_result(const p56_t *meter, double tolerance_db, double *activity_percent)
{
    double before_db = 0.0, before_threshold_db = 0.0, active_db = -HUGE_VAL;
    *activity_percent = 0.0;
    if (meter->square_sum == 0.0)
        return -HUGE_VAL;
    for (int j = 0; j < P56_THRESHOLDS; j++) {
        if (meter->active[j] == 0) {
            active_db = j ? before_db : -HUGE_VAL;
            break;
        }
        double level_db = 10.0 * log10(meter->square_sum / meter->active[j]);
        double threshold_db = 20.0 * log10(meter->threshold[j]);
        if (level_db - threshold_db <= MARGIN_DB) {
            if (j)
                active_db = bisect(level_db, before_db, threshold_db, before_threshold_db, tolerance_db);
            break;
        }
        active_db = before_db = level_db;
        before_threshold_db = threshold_db;
    }
    if (active_db > -HUGE_VAL)
        *activity_percent = 100.0 * meter->square_sum / meter->samples / pow(10.0, active_db / 10.0);
    return active_db;
}

double p56_measure(const int16_t *samples, long count, double sample_rate_hz, double tolerance_db,
                   double *activity_percent)
{
    p56_t meter;
    p56_init(&meter, sample_rate_hz);
    p56_update(&meter, samples, count);
    return p56_result(&meter, tolerance_db, activity_percent);
}

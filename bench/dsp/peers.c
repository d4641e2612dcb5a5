/* Runs one peer over a raw file of 16-bit samples at 8 kHz, in blocks of 20 ms, again and again.
 *
 * usage: peers NAME FILE REPETITIONS      prints nanoseconds per block
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <spandsp.h>
#include <speex/speex_preprocess.h>

#include "p56.h"

enum { BLOCK = 160 };

static void heard(void *user, int code, int level, int delay)
{
    (void)user, (void)code, (void)level, (void)delay;
}

static void said(void *user, const char *digits, int count)
{
    (void)user, (void)digits, (void)count;
}

static super_tone_rx_state_t *plan(int chinese)
{
    super_tone_rx_descriptor_t *tones = super_tone_rx_make_descriptor(NULL);
    static const int us[4][4] = {{350, 440, 0, 0}, {440, 480, 2000, 4000}, {480, 620, 500, 500}, {480, 620, 250, 250}};
    static const int cn[4][4] = {{450, 0, 0, 0}, {450, 0, 1000, 4000}, {450, 0, 350, 350}, {450, 0, 700, 700}};
    for (int i = 0; i < 4; i++) {
        const int *tone = chinese ? cn[i] : us[i];
        int id = super_tone_rx_add_tone(tones);
        super_tone_rx_add_element(tones, id, tone[0], tone[1], tone[2] ? tone[2] * 9 / 10 : 700, tone[2] * 11 / 10);
        if (tone[3])
            super_tone_rx_add_element(tones, id, 0, 0, tone[3] * 9 / 10, tone[3] * 11 / 10);
    }
    return super_tone_rx_init(NULL, tones, heard, NULL);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return fprintf(stderr, "usage: peers NAME FILE REPETITIONS\n"), 2;
    const char *name = argv[1];
    FILE *file = fopen(argv[2], "rb");
    if (!file)
        return perror(argv[2]), 1;
    fseek(file, 0, SEEK_END);
    long blocks = ftell(file) / (2 * BLOCK);
    rewind(file);
    int16_t *samples = malloc(blocks * 2 * BLOCK);
    if (fread(samples, 2 * BLOCK, blocks, file) != (size_t)blocks)
        return 1;
    fclose(file);

    dtmf_rx_state_t *dtmf = NULL;
    modem_connect_tones_rx_state_t *connect = NULL;
    super_tone_rx_state_t *super = NULL;
    SpeexPreprocessState *speex = NULL;
    p56_t level;
    int levels = 0;
    int on = 1, off = 0;
    if (!strncmp(name, "dtmf", 4)) {
        dtmf = dtmf_rx_init(NULL, said, NULL);
        dtmf_rx_parms(dtmf, !strcmp(name, "dtmf_dial_tone"), -1, -1, -99);
    } else if (!strcmp(name, "cng"))
        connect = modem_connect_tones_rx_init(NULL, MODEM_CONNECT_TONES_FAX_CNG, heard, NULL);
    else if (!strcmp(name, "ced"))
        connect = modem_connect_tones_rx_init(NULL, MODEM_CONNECT_TONES_FAX_CED_OR_PREAMBLE, heard, NULL);
    else if (!strcmp(name, "ansam"))
        connect = modem_connect_tones_rx_init(NULL, MODEM_CONNECT_TONES_ANSAM_PR, heard, NULL);
    else if (!strncmp(name, "super_tone", 10))
        super = plan(!strcmp(name, "super_tone_cn"));
    else if (!strncmp(name, "speex", 5)) {
        speex = speex_preprocess_state_init(BLOCK, 8000);
        speex_preprocess_ctl(speex, SPEEX_PREPROCESS_SET_DENOISE, &off);
        speex_preprocess_ctl(speex, SPEEX_PREPROCESS_SET_VAD, &on);
        if (!strcmp(name, "speex_agc"))
            speex_preprocess_ctl(speex, SPEEX_PREPROCESS_SET_AGC, &on);
    } else if (!strcmp(name, "p56")) {
        levels = 1;
        p56_init(&level, 8000);
    } else
        return fprintf(stderr, "no peer %s\n", name), 2;

    int16_t block[BLOCK];
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    long repetitions = atol(argv[3]);
    for (long r = 0; r < repetitions; r++)
        for (long b = 0; b < blocks; b++) {
            if (dtmf)
                dtmf_rx(dtmf, samples + b * BLOCK, BLOCK);
            else if (connect)
                modem_connect_tones_rx(connect, samples + b * BLOCK, BLOCK);
            else if (super)
                super_tone_rx(super, samples + b * BLOCK, BLOCK);
            else if (levels)
                p56_update(&level, samples + b * BLOCK, BLOCK);
            else {
                memcpy(block, samples + b * BLOCK, sizeof(block));
                speex_preprocess_run(speex, block);
            }
        }
    clock_gettime(CLOCK_MONOTONIC, &end);
    double ns = (end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec);
    printf("%.1f\n", repetitions && blocks ? ns / ((double)repetitions * blocks) : 0.0);
    return 0;
}

"""Copy a plan's table into the structures that run without the GIL."""

from libc.string cimport memset

from thirdring_dsp._tone_sets cimport BANK_LINES_MAX, SETS_MAX, ToneBank, ToneSetSpec, bank_line, bank_tune

import numpy as np


cdef int load_bank(ToneBank* bank, table) except -1:
    """Prepare a bank for the frequencies and tone sets of a ``ProgressTable``."""
    cdef int i, j, k
    cdef ToneSetSpec* spec
    memset(bank, 0, sizeof(ToneBank))
    if len(table.frequencies_hz) > BANK_LINES_MAX or len(table.tone_sets) > SETS_MAX:
        raise ValueError("the plan has more tones than fit")
    for i, hz in enumerate(table.frequencies_hz):
        bank_line(bank, i, hz)
    bank.lines = len(table.frequencies_hz)
    bank.rows = 4 * ((2 * bank.lines + 3) // 4)
    bank.sets = len(table.tone_sets)
    for i, tone_set in enumerate(table.tone_sets):
        spec = &bank.spec[i]
        lines = np.array(tone_set.lines_hz)
        if len(lines) > 4:
            raise ValueError("a tone has more than four lines")
        spec.lines = len(lines)
        spec.carrier = tone_set.carrier
        # Correlation of two lines over the window, seen from its middle.
        spacing = (lines[:, None] - lines[None, :]) / 8000
        gram = np.sinc(spacing * 320) / np.sinc(spacing)
        inverse = np.linalg.inv(gram)
        spec.least_overlap = 0.999 * np.linalg.eigvalsh(gram)[0]
        for j in range(spec.lines):
            spec.line[j] = table.frequencies_hz.index(lines[j])
            spec.nominal_hz[j] = lines[j]
            spec.low_hz[j] = tone_set.low_hz[j]
            spec.high_hz[j] = tone_set.high_hz[j]
            for k in range(spec.lines):
                spec.inverse[j][k] = inverse[j, k]
                spec.gram[j][k] = gram[j, k]
        spec.resolved = spec.lines == 1 or np.diff(lines).min() >= 22.0
        spec.weakest = 0.0 if spec.lines == 1 else 0.05 if spec.carrier >= 0 else 0.24 / spec.lines
        tolerance_hz = tone_set.high_hz[0] - lines[0]
        spec.together = spec.lines == 2 and lines[1] - lines[0] < 40.0
        spec.reach_hz = tolerance_hz + 4.0
        spec.search_hz = 0.6 * tolerance_hz if spec.lines == 2 and tolerance_hz > 10.0 else 0.0
        for j in range(2):
            for k in range(spec.lines):
                spec.aside[j].off_hz[k] = spec.search_hz if j else -spec.search_hz
            bank_tune(spec, &spec.aside[j])
    return 0


cdef int load_tones(Tones* tones, table, kinds) except -1:
    """Copy the sequences, rings and continuous tones; a kind becomes its place among ``kinds``."""
    cdef int i
    if (
        len(table.sequences) > SEQUENCES_MAX or len(table.rings) > RINGS_MAX
        or len(table.continuous) > CONTINUOUS_MAX
    ):
        raise ValueError("the plan has more tones than fit")
    for i, sequence in enumerate(table.sequences):
        _load_sequence(&tones.sequence[i], sequence, kinds)
    tones.sequences = len(table.sequences)
    for i, sequence in enumerate(table.rings):
        _load_sequence(&tones.ring[i], sequence, kinds)
    tones.rings = len(table.rings)
    for i, (kind, number, after_s) in enumerate(table.continuous):
        tones.continuous[i].kind = kinds.index(kind)
        tones.continuous[i].tone_set = number
        tones.continuous[i].after_s = after_s
    tones.continuous_count = len(table.continuous)
    return 0


cdef int _load_sequence(SequenceSpec* spec, sequence, kinds) except -1:
    cdef int i
    if len(sequence.bursts) > 10:
        raise ValueError("a sequence has more than ten bursts")
    spec.kind = kinds.index(sequence.kind)
    spec.bursts = len(sequence.bursts)
    spec.confirms = sequence.confirms
    spec.pause_low_s, spec.pause_high_s = sequence.pause_s
    for i, burst in enumerate(sequence.bursts):
        spec.burst[i].tone_set = burst.tone_set
        spec.burst[i].on_low_s, spec.burst[i].on_high_s = burst.on_s
        spec.burst[i].gap_low_s, spec.burst[i].gap_high_s = burst.gap_s
    return 0

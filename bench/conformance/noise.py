"""Noise meter and noise gate against signals whose speech and noise were known before they were mixed.

``level`` has the noise meter's error at three ratios; here are levels, languages, steps and the gate.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tests.dsp import signals
from tests.dsp.signals import Signal

from bench.conformance.row import Row
from thirdring_dsp import NoiseGate, NoiseMeter

SECTION = "Noise"
KINDS = {"white": signals.white, "pink": signals.pink, "hum": signals.hum, "babble": signals.babble}
PAUSE_S = 1.2
BLOCK_S = 0.02
SETTLED_S = 2.0
GATED_DB = 12.0  # the gate's default


def talks(level_dbov: float) -> Iterator[tuple[str, Signal]]:
    """Speech with pauses of 1.2 s and, by name, the languages it is in."""
    recorded = [signals.load(p) for p in signals.prompt_files() if p.stat().st_size > 30000][8:16]
    mandarin = signals.synthetic_mandarin()
    thirds = [
        mandarin[at : at + len(mandarin) // 3] for at in range(0, len(mandarin) - 2, len(mandarin) // 3)
    ]
    for name, pieces in (("English", recorded), ("Mandarin", thirds)):
        parts = [signals.silence(PAUSE_S)]
        for piece in pieces:
            parts += [signals.at_active_level(piece, level_dbov), signals.silence(PAUSE_S)]
        yield name, np.concatenate(parts)


def meter_rows() -> list[Row]:
    """Noise floor and S/N of recorded English and synthetic Mandarin, the worst of all levels and kinds."""
    found = []
    for steady, limit_db in ((True, 1.0), (False, 2.0)):
        noise_db = ratio_db = 0.0
        trials = 0
        for level_dbov in (-16.0, -26.0, -38.0):
            for _, speech in talks(level_dbov):
                for kind in ("white", "pink", "hum") if steady else ("babble",):
                    for snr_db in (10.0, 20.0, 30.0):
                        noise = KINDS[kind](len(speech) / 8000, level_dbov - snr_db)
                        meter = NoiseMeter(8000, window_s=10.0)
                        meter.update(signals.to_int16(signals.mix(speech, noise)))
                        noise_db = max(noise_db, abs(meter.noise_level_dbov - level_dbov + snr_db))
                        ratio_db = max(ratio_db, abs(meter.snr_db - snr_db))
                        trials += 1
        name = "white, pink and hum" if steady else "babble"
        what = f"speech at -16 to -38 dBov, {name} 10 to 30 dB below it, {trials} trials, worst error"
        floor, ratio = f"noise floor: {what}", f"S/N: {what}"
        limit = f"{limit_db:g} dB"
        found.append(Row(SECTION, floor, limit, f"{noise_db:.2f} dB", noise_db <= limit_db))
        found.append(Row(SECTION, ratio, limit, f"{ratio_db:.2f} dB", ratio_db <= limit_db))
    return found


def step_row() -> Row:
    """How long after a step of the background the meter is within 1 dB of it, and stays."""
    worst_s = 0.0
    for kind in ("white", "pink", "hum"):
        for before, after in ((-60.0, -40.0), (-40.0, -60.0), (-55.0, -45.0)):
            steps = np.concatenate([KINDS[kind](6.0, before), KINDS[kind](8.0, after)])
            meter = NoiseMeter(8000)
            last_s = 0.0
            for number, block in enumerate(signals.cuts(signals.to_int16(steps), [round(8000 * BLOCK_S)])):
                meter.update(block)
                if abs(meter.noise_level_dbov - after) > 1.0:
                    last_s = (number + 1) * BLOCK_S - 6.0
            worst_s = max(worst_s, last_s)
    gate = "noise floor within 1 dB and stays so, after steps of 10 and 20 dB up and down"
    return Row(SECTION, gate, "<= 2 s", f"{worst_s:.2f} s", worst_s <= 2.0)


def gain_db(out: Signal, signal: Signal) -> Signal:
    """What happened to each 10 ms, where there was something."""
    count = len(signal) // 80
    powers = [np.mean(part[: count * 80].reshape(count, 80) ** 2, 1) for part in (out, signal)]
    return np.asarray(10 * np.log10((powers[0] + 1e-14) / (powers[1] + 1e-14)))


def gate_rows() -> list[Row]:
    raised_db, cut_db, left_db, babble_db = -100.0, 0.0, -100.0, -100.0
    onset_db = 0.0
    trials = 0
    for level_dbov in (-16.0, -26.0, -34.0):
        for _, speech in talks(level_dbov):
            for name, kind in KINDS.items():
                mixed = signals.to_int16(
                    signals.mix(speech, kind(len(speech) / 8000, level_dbov - 25.0)[: len(speech)])
                )
                gate = NoiseGate(8000)
                delay = gate.delay_samples
                out = signals.from_int16(gate.process(np.append(mixed, np.zeros(delay, np.int16)))[delay:])
                heard = signals.from_int16(mixed)
                silent = np.convolve(np.abs(speech), np.ones(8000), "same") == 0.0
                loud = np.abs(speech) > 10 ** ((level_dbov - 9.0) / 20)
                silent[: round(8000 * SETTLED_S)] = False
                changes = gain_db(out, heard)
                raised_db = max(raised_db, float(changes.max()))
                down_db = signals.rms_dbov(out[silent]) - signals.rms_dbov(heard[silent])
                if name == "babble":
                    babble_db = max(babble_db, down_db)
                else:
                    left_db = max(left_db, down_db)
                cut_db = max(cut_db, signals.rms_dbov(heard[loud]) - signals.rms_dbov(out[loud]))
                onset_db = max(onset_db, onset_cut_db(speech, heard, out))
                trials += 1
    what = f"{trials} trials: two languages, three levels, noise 25 dB below"
    return [
        Row(
            SECTION,
            f"gate: no 10 ms of background or speech raised, {what}",
            "3 dB",
            f"{raised_db:.2f} dB",
            raised_db <= 3.0,
        ),
        Row(SECTION, f"gate: speech cut, {what}, worst", "0.2 dB", f"{cut_db:.2f} dB", cut_db <= 0.2),
        Row(
            SECTION,
            "gate: the first 20 ms of a talk-spurt cut, worst of all",
            "1 dB",
            f"{onset_db:.2f} dB",
            onset_db <= 1.0,
        ),
        Row(
            SECTION,
            "gate: white, pink noise and hum in pauses turned down, worst",
            f"{GATED_DB - 1:g} dB",
            f"{-left_db:.2f} dB",
            -left_db >= GATED_DB - 1,
        ),
        Row(
            SECTION,
            "gate: babble of twelve voices in pauses turned down, worst",
            f"{GATED_DB - 2:g} dB",
            f"{-babble_db:.2f} dB",
            -babble_db >= GATED_DB - 2,
        ),
    ]


def onset_cut_db(speech: Signal, heard: Signal, out: Signal) -> float:
    """What the worst talk-spurt after a pause loses of its first 20 ms at 15 dB out of the noise."""
    level = np.convolve(speech**2, np.ones(80) / 80, "same")
    spoken = level > 10 ** ((signals.rms_dbov(speech[np.abs(speech) > 0.0]) - 8.0) / 10)
    worst = 0.0
    for at in np.flatnonzero(np.diff(spoken.astype(int)) == 1):
        if at > 8000 * SETTLED_S and not spoken[at - 4000 : at].any():
            first = slice(at, at + 160)
            worst = max(worst, signals.rms_dbov(heard[first]) - signals.rms_dbov(out[first]))
    return worst


def rows(pictures: Path) -> list[Row]:
    return [*meter_rows(), step_row(), *gate_rows()]

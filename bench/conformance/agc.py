"""Gain control and acoustic limiter."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from tests.dsp import signals
from tests.dsp.test_agc import after_active, wide
from tests.dsp.test_noise_meter import spoken

from bench.conformance.level import cost_us
from bench.conformance.row import Row
from thirdring_dsp import AcousticLimiter, AutomaticGainControl, SpeechLevelMeter
from thirdring_dsp.reference.p56 import speech_level

LEVELS_DBOV = (-50.0, -42.0, -34.0, -26.0, -18.0, -10.0, -6.0)


def word_list(seed: int) -> signals.Signal:
    """Forty recorded Mandarin words in random order with random pauses."""
    words = signals.mandarin_words()
    random = np.random.default_rng(seed)
    parts: list[signals.Signal] = []
    for k in random.permutation(len(words))[:40]:
        parts += [words[k][1], signals.silence(float(random.uniform(0.1, 0.7)))]
    return np.concatenate(parts)


def target_rows() -> list[Row]:
    materials = {
        "recorded English prompts": [signals.prompts(20)],
        "synthetic Mandarin": [signals.synthetic_mandarin()],
        "synthetic English": [signals.synthetic_english()],
    }
    if signals.mandarin_words():
        materials["recorded Mandarin words"] = [word_list(seed) for seed in range(12)]
    rows = []
    for name, speeches in materials.items():
        errors_db = []
        for speech in speeches:
            for level_dbov in LEVELS_DBOV:
                samples = signals.to_int16(signals.at_active_level(speech, level_dbov))
                out = wide().process(samples)[after_active(samples, 2.0, 8000) :]
                errors_db.append(speech_level(out, 8000).active_dbov + 26.0)
        worst_db = float(np.max(np.abs(errors_db)))
        rows.append(
            Row(
                "AGC",
                f"{name} at {len(LEVELS_DBOV)} levels from -50 to -6 dBov: level after the first "
                f"2 s of speech, {len(errors_db)} trials, worst",
                "-26 +-1 dB",
                f"{worst_db:.2f} dB off",
                worst_db <= 1.0,
            )
        )
    return rows


def pause_rows() -> list[Row]:
    move_db, raise_db = 0.0, -np.inf
    trials = 0
    for level_dbov in (-50.0, -38.0, -26.0, -10.0):
        speech = spoken(level_dbov)
        quiet = np.convolve(np.abs(speech), np.ones(6400), "same") == 0.0
        edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]])))
        for kind in ("white", "pink", "hum", "babble"):
            noise = getattr(signals, kind)(speech.size / 8000, level_dbov - 25.0)[: speech.size]
            samples = signals.to_int16(signals.mix(speech, noise))
            control = wide()
            out, gains_db = np.empty_like(samples), np.empty(samples.size)
            for start in range(0, samples.size, 80):
                block = slice(start, start + 80)
                out[block] = control.process(samples[block])
                gains_db[block] = control.gain_db
            for a, b in zip(edges[::2], edges[1::2], strict=True):
                if b - a > 1600:
                    before = signals.rms_dbov(signals.from_int16(samples[a:b]))
                    after = signals.rms_dbov(signals.from_int16(out[a:b]))
                    move_db = max(move_db, float(np.ptp(gains_db[a:b])))
                    raise_db = max(raise_db, after - before)
                    trials += 1
    what = f"in {trials} pauses with white, pink, babble and hum 25 dB below the speech"
    return [
        Row("AGC", f"gain moves {what}", "1 dB", f"{move_db:.2f} dB", move_db <= 1.0),
        Row("AGC", f"noise raised {what}", "3 dB", f"{raise_db:.2f} dB", raise_db <= 3.0),
    ]


def limiter_rows() -> list[Row]:
    over = 0
    for ceiling_dbov in (-3.0, -12.0, -24.0):
        ceiling = int(32768 * 10 ** (ceiling_dbov / 20))
        for frequency_hz in (425.0, 1100.0, 2100.0, 3400.0):
            speech = signals.at_active_level(signals.prompts(6), -30.0)
            for at in range(8000, speech.size - 8000, 12007):
                speech[at : at + 4000] += signals.tone(frequency_hz, 0.5, -3.02)
            out = AcousticLimiter(8000, ceiling_dbov).process(signals.to_int16(speech))
            over += int(np.count_nonzero(np.abs(out.astype(np.int32)) > ceiling))
    return [
        Row(
            "AGC",
            "full-scale tone bursts in speech, three ceilings: samples above the ceiling",
            "0 (limited within 1 ms)",
            f"{over}",
            over == 0,
        )
    ]


def picture(pictures: Path) -> None:
    parts = [signals.at_active_level(signals.prompts(5), level_dbov) for level_dbov in (-44, -12, -34)]
    samples = signals.to_int16(np.concatenate(parts))
    control = wide()
    before, after = SpeechLevelMeter(8000), SpeechLevelMeter(8000)
    time_s, levels = [], []
    for start in range(0, samples.size - 800, 800):
        block = samples[start : start + 800]
        before.update(block)
        after.update(control.process(block))
        time_s.append(start / 8000)
        levels.append(
            (
                before.sliding_active_speech_level_dbov,
                after.sliding_active_speech_level_dbov,
                control.gain_db,
            )
        )
    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = figure.add_subplot(xlabel="time in s", ylabel="dBov, dB", title="Gain control")
    for values, label in zip(np.array(levels).T, ("level before", "level after", "gain"), strict=True):
        axes.plot(time_s, values, label=label, linewidth=1)
    axes.axhspan(-27, -25, alpha=0.2)
    axes.legend(loc="lower right")
    figure.savefig(pictures / "agc.svg")


def rows(pictures: Path) -> list[Row]:
    picture(pictures)
    samples = signals.to_int16(signals.at_active_level(signals.prompts(60), -30.0))
    out = np.empty_like(samples)
    control, limiter = AutomaticGainControl(8000), AcousticLimiter(8000, -24.0)
    both_us = cost_us(lambda block: control.process(block, out), samples)
    both_us += cost_us(lambda block: limiter.process(block, out), samples)
    return [
        *target_rows(),
        *pause_rows(),
        *limiter_rows(),
        Row(
            "AGC",
            "gain control and busy limiter, 20 ms at 8 kHz",
            "5 us",
            f"{both_us:.2f} us",
            both_us <= 5.0,
        ),
    ]

"""Level meter and noise meter against the exact batch measurement and a plain meter in C."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tests.dsp import signals

from bench.conformance.row import Row
from bench.dsp import p56
from thirdring_dsp import NoiseMeter, SpeechLevelMeter
from thirdring_dsp.reference.p56 import speech_level

LANGUAGES = ("en", "es", "fr", "it", "ru")


def cost_us(call: Callable[[signals.Samples], object], samples: signals.Samples) -> float:
    """Best time of many runs for 20 ms at 8 kHz: others use this machine too."""
    best = float("inf")
    for _ in range(30):
        start = time.perf_counter()
        call(samples)
        best = min(best, time.perf_counter() - start)
    return best / samples.size * 160 * 1e6


def apart(one: float, other: float) -> float:
    """How far apart two figures are; both may be ``-inf``, for nothing to measure."""
    return 0.0 if one == other else abs(one - other)


def against_others() -> list[Row]:
    """Our meter against the batch oracle and against the plain C meter, on every file.

    The Recommendation lets the search for the margin stop within 0.5 dB, and ITU-T G.191 stops there.
    For the gate the C meter searches on to 0.001 dB; what stopping early costs it stands beside.
    """
    files = [path for language in LANGUAGES for path in signals.prompt_files(language)]
    errors = []
    for path in files:
        samples = signals.to_int16(signals.load(path))
        meter = SpeechLevelMeter(8000)
        for block in signals.cuts(samples, [160, 7, 331]):
            meter.update(block)
        batch = speech_level(samples, 8000)
        plain = p56.speech_level(samples, 8000, 0.001)
        coarse = p56.speech_level(samples, 8000)
        ours = meter.active_speech_level_dbov, meter.activity_percent
        exact = batch.active_dbov, batch.activity_percent
        pairs = ((ours, exact), (ours, plain), (coarse, exact))
        errors.append([[apart(a, b) for a, b in zip(*pair, strict=True)] for pair in pairs])
    to_batch, to_plain, coarse_to_batch = np.max(errors, axis=0)
    rows = []
    for at, (what, limit, unit) in enumerate(
        (("active speech level", 0.1, "dB"), ("activity factor", 0.5, "points"))
    ):
        name = f"{what} of {len(files)} recorded prompts in {len(LANGUAGES)} languages, worst, against"
        early = f"C meter stopped within 0.5 dB {coarse_to_batch[at]:.2f} {unit}"
        for other, worst, peer in (("exact P.56", to_batch, early), ("P.56 in C as in G.191", to_plain, "-")):
            shown, met = f"{worst[at]:.6f} {unit}", bool(worst[at] <= limit)
            rows.append(Row("Level", f"{name} {other}", f"{limit} {unit}", shown, met, peer))
    return rows


def noise_rows() -> list[Row]:
    rows = []
    pause = signals.silence(1.2)
    parts = [pause]
    for path in [path for path in signals.prompt_files() if path.stat().st_size > 30000][:8]:
        parts += [signals.at_active_level(signals.load(path), -26.0), pause]
    speech = np.concatenate(parts)
    for kind, limit_db in (("white", 1.0), ("pink", 1.0), ("hum", 1.0), ("babble", 2.0)):
        noise_db = ratio_db = 0.0
        for snr_db in (10.0, 20.0, 30.0):
            noise = getattr(signals, kind)(speech.size / 8000, -26.0 - snr_db)
            meter = NoiseMeter(8000, window_s=10.0)
            meter.update(signals.to_int16(signals.mix(speech, noise)))
            noise_db = max(noise_db, abs(meter.noise_level_dbov + 26.0 + snr_db))
            ratio_db = max(ratio_db, abs(meter.snr_db - snr_db))
        rows.append(
            Row(
                "Level",
                f"{kind} noise in pauses at 10, 20, 30 dB S/N, worst error",
                f"{limit_db:.0f} dB",
                f"level {noise_db:.2f} dB, S/N {ratio_db:.2f} dB",
                noise_db <= limit_db,
            )
        )
    return rows


def rows(pictures: Path) -> list[Row]:
    samples = signals.to_int16(signals.at_active_level(signals.prompts(60), -26.0))
    meter_us = cost_us(SpeechLevelMeter(8000).update, samples[:160000])
    noise_us = cost_us(NoiseMeter(8000).update, samples)
    return [
        *against_others(),
        *noise_rows(),
        Row("Level", "speech level meter, 20 ms at 8 kHz", "1 us", f"{meter_us:.2f} us", meter_us < 1),
        Row("Level", "noise meter, 20 ms at 8 kHz", "1 us", f"{noise_us:.2f} us", noise_us < 1),
    ]

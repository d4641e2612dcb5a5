"""Level meter and noise meter against the exact batch measurement."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tests.dsp import signals

from bench.conformance.row import Row
from thirdring_dsp import NoiseMeter, SpeechLevelMeter
from thirdring_dsp.reference.p56 import speech_level


def cost_us(call: Callable[[signals.Samples], object], samples: signals.Samples) -> float:
    """Best time of many runs for 20 ms at 8 kHz: others use this machine too."""
    best = float("inf")
    for _ in range(30):
        start = time.perf_counter()
        call(samples)
        best = min(best, time.perf_counter() - start)
    return best / samples.size * 160 * 1e6


def against_batch() -> list[Row]:
    files = signals.prompt_files()[::4]
    level_db = activity = 0.0
    for path in files:
        samples = signals.to_int16(signals.load(path))
        exact = speech_level(samples, 8000)
        meter = SpeechLevelMeter(8000)
        for block in signals.cuts(samples, [160, 7, 331]):
            meter.update(block)
        level_db = max(level_db, abs(meter.active_speech_level_dbov - exact.active_dbov))
        activity = max(activity, abs(meter.activity_percent - exact.activity_percent))
    name = f"of {len(files)} recorded prompts, worst, against exact P.56"
    return [
        Row("Level", f"active speech level {name}", "0.1 dB", f"{level_db:.6f} dB", level_db <= 0.1),
        Row(
            "Level",
            f"activity factor {name}",
            "0.5 points",
            f"{activity:.6f} points",
            activity <= 0.5,
        ),
    ]


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
        *against_batch(),
        *noise_rows(),
        Row("Level", "speech level meter, 20 ms at 8 kHz", "1 us", f"{meter_us:.2f} us", meter_us < 1),
        Row("Level", "noise meter, 20 ms at 8 kHz", "1 us", f"{noise_us:.2f} us", noise_us < 1),
    ]

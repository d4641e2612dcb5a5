"""The plain meter in C that the conformance run and the cost bench hold ours against."""

import math

import numpy as np
import pytest
from bench.dsp import p56

from tests.dsp import signals
from thirdring_dsp import SpeechLevelMeter
from thirdring_dsp.reference.p56 import speech_level


@pytest.mark.parametrize("sample_rate_hz", [8000, 16000])
@pytest.mark.parametrize("level_dbov", [-45.0, -26.0, -12.0])
def test_three_opinions_on_speech_in_noise_agree(level_dbov: float, sample_rate_hz: int) -> None:
    speech = signals.at_active_level(
        signals.prompts(6, sample_rate_hz=sample_rate_hz), level_dbov, sample_rate_hz
    )
    noise = signals.pink(speech.size / sample_rate_hz, level_dbov - 25.0, sample_rate_hz)
    samples = signals.to_int16(signals.mix(speech, noise))
    meter = SpeechLevelMeter(sample_rate_hz)
    meter.update(samples)
    level, activity = p56.speech_level(samples, sample_rate_hz, 0.001)
    assert level == pytest.approx(meter.active_speech_level_dbov, abs=0.001)
    assert level == pytest.approx(speech_level(samples, sample_rate_hz).active_dbov, abs=0.001)
    assert activity == pytest.approx(meter.activity_percent, abs=0.02)


def test_a_search_stopped_at_half_a_decibel_stays_near() -> None:
    samples = signals.to_int16(signals.synthetic_english())
    coarse, _ = p56.speech_level(samples, 8000)
    exact, _ = p56.speech_level(samples, 8000, 0.001)
    assert coarse == pytest.approx(exact, abs=0.5)


def test_silence_has_no_level() -> None:
    assert p56.speech_level(np.zeros(8000, np.int16), 8000) == (-math.inf, 0.0)

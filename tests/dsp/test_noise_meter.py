import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dsp import signals
from thirdring_dsp import NoiseMeter

NOISES = {"white": signals.white, "pink": signals.pink, "hum": signals.hum}


def spoken(level_dbov: float, sample_rate_hz: int = 8000, first: int = 0) -> signals.Signal:
    """Eight prompts from the given one on with pauses of 1.2 s between, each at the level."""
    files = [path for path in signals.prompt_files() if path.stat().st_size > 30000][first : first + 8]
    pause = signals.silence(1.2, sample_rate_hz)
    parts = [pause]
    for path in files:
        speech = signals.load(path, sample_rate_hz)
        parts += [signals.at_active_level(speech, level_dbov, sample_rate_hz), pause]
    return np.concatenate(parts)


def measured(signal: signals.Signal, sample_rate_hz: int = 8000) -> NoiseMeter:
    meter = NoiseMeter(sample_rate_hz, window_s=10.0)
    assert meter.update(signals.to_int16(signal)) == []
    return meter


@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize(("level_dbov", "snr_db"), [(-26.0, 30.0), (-26.0, 10.0), (-45.0, 20.0)])
def test_noise_and_ratio_under_speech_are_those_mixed(kind: str, level_dbov: float, snr_db: float) -> None:
    speech = spoken(level_dbov)
    noise = NOISES[kind](speech.size / 8000, level_dbov - snr_db)
    meter = measured(signals.mix(speech, noise))
    assert meter.noise_level_dbov == pytest.approx(level_dbov - snr_db, abs=1.0)
    assert meter.snr_db == pytest.approx(snr_db, abs=1.5)


@pytest.mark.parametrize("sample_rate_hz", [16000, 48000])
def test_the_other_rates_measure_the_same(sample_rate_hz: int) -> None:
    speech = spoken(-26.0, sample_rate_hz)
    noise = signals.white(speech.size / sample_rate_hz, -46.0, sample_rate_hz)
    meter = measured(signals.mix(speech, noise), sample_rate_hz)
    assert meter.noise_level_dbov == pytest.approx(-46.0, abs=1.0)
    assert meter.snr_db == pytest.approx(20.0, abs=1.5)


def test_babble_is_measured_within_two_db() -> None:
    speech = spoken(-26.0)
    meter = measured(signals.mix(speech, signals.babble(speech.size / 8000, -46.0)))
    assert meter.noise_level_dbov == pytest.approx(-46.0, abs=2.0)


@pytest.mark.parametrize("kind", NOISES)
def test_noise_alone_has_a_level_and_no_ratio(kind: str) -> None:
    meter = measured(NOISES[kind](6.0, -40.0))
    assert meter.noise_level_dbov == pytest.approx(-40.0, abs=1.0)


@pytest.mark.parametrize(("before_dbov", "after_dbov"), [(-60.0, -40.0), (-40.0, -60.0)])
def test_a_steady_step_is_followed_within_two_seconds(before_dbov: float, after_dbov: float) -> None:
    steps = np.concatenate([signals.white(6.0, before_dbov), signals.white(2.0, after_dbov, seed=2)])
    assert measured(steps).noise_level_dbov == pytest.approx(after_dbov, abs=1.5)


def test_an_even_stretch_of_speech_is_not_background() -> None:
    speech = spoken(-26.0, first=8)  # among them a menu read out for 0.8 s at nearly one level
    meter = NoiseMeter(8000)
    highest_dbov = -math.inf
    for block in signals.cuts(
        signals.to_int16(signals.mix(speech, signals.white(speech.size / 8000, -56.0))), [800]
    ):
        meter.update(block)
        highest_dbov = max(highest_dbov, meter.noise_level_dbov)
    assert highest_dbov < -52.0


def test_silence_is_minus_infinity_and_never_nan() -> None:
    for meter in (NoiseMeter(8000), measured(signals.silence(4.0))):
        assert meter.snr_db == meter.speech_level_dbov == -math.inf
        assert meter.pause
    assert NoiseMeter(8000).noise_level_dbov == -math.inf
    assert measured(signals.silence(4.0)).noise_level_dbov == -math.inf


def test_speech_over_digital_silence_has_an_infinite_ratio() -> None:
    speech = np.concatenate([signals.tone(300, 0.3, -20.0), signals.silence(0.7)] * 4)
    meter = measured(speech)
    assert meter.noise_level_dbov == -math.inf
    assert meter.snr_db == math.inf


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=12).filter(any))
def test_the_cut_of_the_stream_does_not_matter(sizes: list[int]) -> None:
    speech = signals.synthetic_mandarin()[:24000]
    samples = signals.to_int16(signals.mix(speech, signals.white(3.0, -50.0)))
    whole, cut = NoiseMeter(8000), NoiseMeter(8000)
    whole.update(samples)
    for block in signals.cuts(samples, sizes):
        cut.update(block)
    assert (cut.noise_level_dbov, cut.snr_db, cut.pause) == (
        whole.noise_level_dbov,
        whole.snr_db,
        whole.pause,
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([-32768, -1, 0, 1, 700, 32767]), max_size=3000))
def test_no_samples_give_nan(values: list[int]) -> None:
    meter = NoiseMeter(8000)
    meter.update(np.array(values, np.int16))
    for value in (meter.noise_level_dbov, meter.speech_level_dbov, meter.snr_db):
        assert not math.isnan(value)


def test_reset_forgets_everything() -> None:
    meter = measured(signals.white(3.0, -30.0))
    meter.reset()
    assert meter.noise_level_dbov == -math.inf


@pytest.mark.parametrize(("arguments", "named"), [((44100,), "sample_rate_hz"), ((8000, 11.0), "window_s")])
def test_arguments_out_of_range_are_refused(arguments: tuple[int, float], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        NoiseMeter(*arguments)

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dsp import signals
from thirdring_dsp import SpeechLevelMeter
from thirdring_dsp.reference.p56 import speech_level

RATES_HZ = (8000, 16000, 48000)
FIGURES = (
    "active_speech_level_dbov",
    "activity_percent",
    "long_term_level_dbov",
    "peak_dbov",
    "clipped_samples",
    "dc_offset",
    "active_s",
    "sample_count",
    "sliding_active_speech_level_dbov",
    "momentary_level_dbov",
)


def figures(meter: SpeechLevelMeter) -> dict[str, float]:
    return {name: getattr(meter, name) for name in FIGURES}


def measured(samples: signals.Samples, sample_rate_hz: int = 8000) -> SpeechLevelMeter:
    meter = SpeechLevelMeter(sample_rate_hz)
    assert meter.update(samples) == []
    return meter


def assert_as_batch(samples: signals.Samples, sample_rate_hz: int) -> None:
    meter, exact = measured(samples, sample_rate_hz), speech_level(samples, sample_rate_hz)
    assert meter.active_speech_level_dbov == pytest.approx(exact.active_dbov, abs=1e-6)
    assert meter.activity_percent == pytest.approx(exact.activity_percent, abs=1e-6)
    assert meter.long_term_level_dbov == pytest.approx(exact.long_term_dbov, abs=1e-9)


@pytest.mark.parametrize("sample_rate_hz", RATES_HZ)
@pytest.mark.parametrize("level_dbov", [-60.0, -36.0, -26.0, -12.0])
def test_speech_measures_as_by_the_batch_method(level_dbov: float, sample_rate_hz: int) -> None:
    for speech in (
        signals.synthetic_mandarin(sample_rate_hz)[: 12 * sample_rate_hz],
        signals.prompts(4, sample_rate_hz=sample_rate_hz),
    ):
        scaled = signals.at_active_level(speech, level_dbov, sample_rate_hz)
        assert_as_batch(signals.to_int16(scaled), sample_rate_hz)


def test_speech_in_noise_and_after_g711_measures_as_by_the_batch_method() -> None:
    speech = signals.at_active_level(signals.prompts(12), -26.0)
    noisy = signals.mix(speech, signals.pink(speech.size / 8000, -46.0))
    assert_as_batch(signals.to_int16(noisy), 8000)
    for codec in ("a-law", "mu-law"):
        assert_as_batch(signals.to_int16(signals.through_codec(noisy, codec)), 8000)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(-32768, 32767), max_size=400),
    st.integers(0, 4000),
    st.sampled_from(RATES_HZ),
)
def test_any_samples_measure_as_by_the_batch_method(
    values: list[int], quiet: int, sample_rate_hz: int
) -> None:
    samples = np.concatenate([values, np.zeros(quiet), values]).astype(np.int16)
    assert_as_batch(samples, sample_rate_hz)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=12).filter(any))
def test_the_cut_of_the_stream_does_not_matter(sizes: list[int]) -> None:
    samples = signals.to_int16(signals.synthetic_mandarin()[:20000])
    cut = SpeechLevelMeter(8000)
    for block in signals.cuts(samples, sizes):
        cut.update(block)
    assert figures(cut) == figures(measured(samples))


def test_one_sample_blocks_give_the_same_at_every_rate() -> None:
    for sample_rate_hz in RATES_HZ:
        samples = signals.to_int16(signals.synthetic_english(sample_rate_hz)[: sample_rate_hz // 2])
        cut = SpeechLevelMeter(sample_rate_hz)
        for block in signals.cuts(samples, [1, 0]):
            cut.update(block)
        assert figures(cut) == figures(measured(samples, sample_rate_hz))


def test_nothing_and_silence_measure_as_minus_infinity() -> None:
    for meter in (SpeechLevelMeter(8000), measured(np.zeros(16000, np.int16))):
        values = figures(meter)
        assert not any(math.isnan(value) for value in values.values())
        assert values["active_speech_level_dbov"] == -math.inf
        assert values["sliding_active_speech_level_dbov"] == -math.inf
        assert values["momentary_level_dbov"] == -math.inf
        assert values["peak_dbov"] == -math.inf
        assert values["activity_percent"] == values["active_s"] == 0.0


def test_full_scale_square_wave_is_0_dbov_and_clipped() -> None:
    meter = measured(np.tile(np.array([32767, -32768], np.int16), 8000))
    assert meter.active_speech_level_dbov == pytest.approx(0.0, abs=0.2)
    assert meter.long_term_level_dbov == pytest.approx(0.0, abs=0.001)
    assert meter.peak_dbov == 0.0
    assert meter.clipped_samples == meter.sample_count == 16000


def test_full_scale_sine_is_minus_3_dbov() -> None:
    meter = measured(signals.to_int16(signals.tone(1000, 2.0, -3.0103)))
    assert meter.momentary_level_dbov == pytest.approx(-3.01, abs=0.01)


def test_dc_offset_is_the_mean() -> None:
    meter = measured(np.full(8000, -3277, np.int16))
    assert meter.dc_offset == pytest.approx(-0.1, abs=1e-4)
    assert meter.clipped_samples == 0


def test_momentary_level_covers_exactly_100_ms() -> None:
    meter = measured(signals.to_int16(signals.tone(500, 1.0, -10.0)))
    meter.update(signals.to_int16(signals.tone(500, 0.1, -40.0)))
    assert meter.momentary_level_dbov == pytest.approx(-40.0, abs=0.02)


@pytest.mark.parametrize("before_dbov", [-16.0, -26.0, -40.0])
@pytest.mark.parametrize("now_dbov", [-16.0, -26.0, -40.0])
def test_sliding_level_is_that_of_the_last_active_speech(before_dbov: float, now_dbov: float) -> None:
    speech = signals.synthetic_mandarin()
    before = signals.at_active_level(speech[: 8 * 8000], before_dbov)
    now = signals.at_active_level(speech[8 * 8000 :], now_dbov)[: 6 * 8000]
    meter = measured(signals.to_int16(np.concatenate([before, now])))
    last = speech_level(signals.to_int16(now[-int(3.5 * 8000) :]), 8000).active_dbov
    assert meter.sliding_active_speech_level_dbov == pytest.approx(last, abs=1.0)


def test_sliding_level_holds_through_a_noisy_pause() -> None:
    speech = signals.at_active_level(signals.synthetic_english(), -26.0)
    samples = signals.mix(speech, signals.pink(speech.size / 8000 + 10.0, -56.0))
    meter = measured(signals.to_int16(samples[: speech.size]))
    held = meter.sliding_active_speech_level_dbov
    meter.update(signals.to_int16(samples[speech.size :]))
    assert meter.sliding_active_speech_level_dbov == pytest.approx(held, abs=0.5)


def test_reset_forgets_everything() -> None:
    meter = measured(signals.to_int16(signals.synthetic_english()))
    meter.reset()
    assert figures(meter) == figures(SpeechLevelMeter(8000))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [((44100,), "sample_rate_hz"), ((8000, 0.0), "window_s"), ((8000, 3.0, 0), "clip_level")],
)
def test_arguments_out_of_range_are_refused(arguments: tuple[int, float, int], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        SpeechLevelMeter(*arguments)


def test_a_read_only_block_is_taken_and_another_type_refused() -> None:
    meter = SpeechLevelMeter(8000)
    block = np.zeros(160, np.int16)
    block.flags.writeable = False
    meter.update(block)
    with pytest.raises(ValueError, match="dtype"):
        meter.update(np.zeros(160, np.float32))

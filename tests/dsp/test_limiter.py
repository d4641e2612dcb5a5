import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dsp import signals
from thirdring_dsp import AcousticLimiter
from thirdring_dsp.reference.limiter import limited

RATES_HZ = (8000, 16000, 48000)


def ceiling_of(limiter: AcousticLimiter) -> int:
    return int(32768.0 * 10.0 ** (limiter.ceiling_dbov / 20.0))


def magnitudes(samples: signals.Samples) -> signals.Samples:
    return np.abs(samples.astype(np.int32))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from([-32768, -20000, -300, 0, 1, 5000, 32767]), max_size=600),
    st.floats(-60.0, 0.0),
    st.sampled_from(RATES_HZ),
)
def test_no_sample_passes_the_ceiling(values: list[int], ceiling_dbov: float, sample_rate_hz: int) -> None:
    limiter = AcousticLimiter(sample_rate_hz, ceiling_dbov)
    out = limiter.process(np.array([*values, *[0] * 60], np.int16))
    assert np.all(magnitudes(out) <= ceiling_of(limiter))


@pytest.mark.parametrize("sample_rate_hz", RATES_HZ)
def test_a_burst_in_speech_is_limited_from_its_first_sample(sample_rate_hz: int) -> None:
    speech = signals.synthetic_english(sample_rate_hz)
    speech = signals.at_active_level(speech, -30.0, sample_rate_hz)
    at = 3 * sample_rate_hz
    burst = signals.tone(2100, 0.5, -3.02, sample_rate_hz)
    speech[at : at + burst.size] += burst
    limiter = AcousticLimiter(sample_rate_hz, -12.0)
    out = limiter.process(signals.to_int16(speech))
    assert np.all(magnitudes(out) <= ceiling_of(limiter))
    # ... and it is not muted: the tone goes on just below the ceiling
    inside = signals.from_int16(out[at + sample_rate_hz // 10 : at + sample_rate_hz // 3])
    assert signals.rms_dbov(inside) == pytest.approx(-12.0 - 3.01, abs=1.0)


def test_what_stays_below_the_ceiling_is_only_delayed() -> None:
    samples = signals.to_int16(signals.white(1.0, -30.0))
    limiter = AcousticLimiter(8000, -6.0)
    out = limiter.process(samples)
    assert limiter.delay_samples == 8
    assert np.array_equal(out[8:], samples[:-8])
    assert not out[:8].any()
    assert limiter.limited_samples == 0


def test_the_gain_is_back_soon_after_a_burst() -> None:
    speech = signals.tone(400, 2.0, -30.0)
    speech[4000:4400] += signals.tone(1000, 0.05, -4.0)
    samples = signals.to_int16(speech)
    limiter = AcousticLimiter(8000, -12.0)
    out = limiter.process(samples)
    level_dbov = signals.rms_dbov(signals.from_int16(out[8000:]))
    assert level_dbov == pytest.approx(-30.0, abs=0.2)
    assert 400 <= limiter.limited_samples < 12000


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=12).filter(any), st.booleans())
def test_the_cut_of_the_stream_does_not_matter(sizes: list[int], in_place: bool) -> None:
    loud = signals.at_active_level(signals.synthetic_mandarin()[:16000], -8.0)
    quiet = signals.at_active_level(signals.synthetic_mandarin()[:16000], -40.0)
    samples = signals.to_int16(np.concatenate([quiet[:6000], loud[:4000], quiet[6000:]]))
    whole = AcousticLimiter(8000, -12.0)
    expected = whole.process(samples)
    cut = AcousticLimiter(8000, -12.0)
    pieces = [
        cut.process(block, block) if in_place else cut.process(block)
        for block in signals.cuts(samples.copy(), sizes)
    ]
    assert np.array_equal(np.concatenate(pieces), expected)
    assert cut.limited_samples == whole.limited_samples > 0


def test_reset_forgets_everything() -> None:
    samples = signals.to_int16(signals.white(0.3, -6.0))
    limiter = AcousticLimiter(16000, -12.0)
    first = limiter.process(samples)
    limiter.reset()
    assert limiter.limited_samples == 0
    assert np.array_equal(limiter.process(samples), first)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((11025,), "sample_rate_hz"),
        ((8000, 1.0), "ceiling_dbov"),
        ((8000, -6.0, 0.1), "look_ahead_s"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: tuple[int, float, float], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        AcousticLimiter(*arguments)


def test_a_result_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="160"):
        AcousticLimiter(8000).process(np.zeros(160, np.int16), np.zeros(80, np.int16))


@pytest.mark.parametrize("sample_rate_hz", RATES_HZ)
@pytest.mark.parametrize("look_ahead_s", [0.0005, 0.001, 0.005])
def test_agrees_with_the_oracle(sample_rate_hz: int, look_ahead_s: float) -> None:
    time_s = np.arange(sample_rate_hz) / sample_rate_hz
    signal = signals.white(1.0, -24.0, sample_rate_hz) * (1.0 + 4.0 * np.sin(2.0 * np.pi * 1.5 * time_s) ** 8)
    samples = signals.to_int16(signal)
    samples[sample_rate_hz // 2 :: sample_rate_hz // 7] = -32768
    limiter = AcousticLimiter(sample_rate_hz, -12.0, look_ahead_s)
    out = np.concatenate([limiter.process(block) for block in signals.cuts(samples, [160, 1, 97])])
    np.testing.assert_array_equal(out, limited(samples, sample_rate_hz, -12.0, look_ahead_s))
    assert 0 < limiter.limited_samples < samples.size

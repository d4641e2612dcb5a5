import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dsp import signals
from tests.dsp.test_noise_meter import spoken
from thirdring_dsp import NoiseGate

RATES_HZ = (8000, 16000, 48000)


def gated(signal: signals.Signal, sample_rate_hz: int = 8000) -> signals.Signal:
    """Return the gate's output, its delay taken out."""
    gate = NoiseGate(sample_rate_hz)
    samples = np.concatenate([signals.to_int16(signal), np.zeros(gate.delay_samples, np.int16)])
    return signals.from_int16(gate.process(samples)[gate.delay_samples :])


@pytest.mark.parametrize("kind", ["white", "pink", "hum", "babble"])
def test_background_between_spurts_is_turned_down_and_speech_is_not(kind: str) -> None:
    speech = spoken(-26.0)
    noise = getattr(signals, kind)(speech.size / 8000, -51.0)[: speech.size]
    mixed = signals.mix(speech, noise)
    out = gated(mixed)
    quiet = np.convolve(np.abs(speech), np.ones(8000), "same") == 0.0
    quiet[: 2 * 8000] = False
    assert signals.rms_dbov(out[quiet]) - signals.rms_dbov(mixed[quiet]) < -11.0
    loud = np.abs(speech) > 10 ** (-35 / 20)
    assert signals.rms_dbov(out[loud]) - signals.rms_dbov(mixed[loud]) > -0.2


@pytest.mark.parametrize("sample_rate_hz", RATES_HZ)
def test_an_onset_comes_out_whole(sample_rate_hz: int) -> None:
    for start_s in (2.0, 2.0013, 2.0049, 2.0087):
        spurt = signals.tone(300, 0.3, -26.0, sample_rate_hz)
        at = round(start_s * sample_rate_hz)
        clean = np.concatenate([np.zeros(at), spurt, np.zeros(sample_rate_hz)])
        noise = signals.white(clean.size / sample_rate_hz, -56.0, sample_rate_hz)
        mixed = signals.mix(clean, noise)[: clean.size]
        out = gated(mixed, sample_rate_hz)
        onset = slice(at, at + sample_rate_hz // 50)
        assert signals.rms_dbov(out[onset]) - signals.rms_dbov(mixed[onset]) > -0.3


def test_an_open_gate_changes_nothing() -> None:
    samples = signals.to_int16(signals.synthetic_english()[:6000])
    gate = NoiseGate(8000, attenuation_db=0.0)
    out = gate.process(samples)
    assert np.array_equal(out[gate.delay_samples :], samples[: -gate.delay_samples])
    assert gate.gain_db == 0.0


def test_without_look_ahead_there_is_no_delay() -> None:
    samples = signals.to_int16(signals.synthetic_english()[:6000])
    assert np.array_equal(NoiseGate(8000, look_ahead_s=0.0).process(samples), samples)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=12).filter(any), st.booleans())
def test_the_cut_of_the_stream_does_not_matter(sizes: list[int], in_place: bool) -> None:
    speech = spoken(-26.0)[:40000]
    samples = signals.to_int16(signals.mix(speech, signals.white(5.0, -50.0)))
    expected = NoiseGate(8000).process(samples)
    cut = NoiseGate(8000)
    pieces = [
        cut.process(block, block) if in_place else cut.process(block)
        for block in signals.cuts(samples.copy(), sizes)
    ]
    assert np.array_equal(np.concatenate(pieces), expected)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([-32768, -1, 0, 1, 700, 32767]), max_size=3000))
def test_no_sample_grows(values: list[int]) -> None:
    samples = np.array([*values, *[0] * 80], np.int16)
    out = NoiseGate(8000).process(samples)
    assert np.all(np.abs(out[80:].astype(np.int32)) <= np.abs(samples[:-80].astype(np.int32)))


def test_reset_forgets_everything() -> None:
    samples = signals.to_int16(signals.white(3.0, -40.0))
    gate = NoiseGate(8000)
    first = gate.process(samples)
    gate.reset()
    assert np.array_equal(gate.process(samples), first)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((44100,), "sample_rate_hz"),
        ((8000, 50.0), "attenuation_db"),
        ((8000, 12.0, 0.05), "look_ahead_s"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: tuple[int, float, float], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        NoiseGate(*arguments)

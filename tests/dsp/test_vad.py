import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from tests.dsp.talk_signals import Signal, as_int16, cuts, noise, prompt, silence
from thirdring_dsp import DspEvent, VoiceActivityDetector
from thirdring_dsp.reference.talk_network import speech_probability


def spurts(events: list[DspEvent]) -> list[DspEvent]:
    return [event for event in events if event.kind == "talk_spurt"]


@pytest.fixture(scope="module")
def two_spurts() -> tuple[Signal, list[tuple[float, float]]]:
    first, second = prompt("activated"), prompt("agent-loginok")
    signal = np.concatenate([silence(1), first, silence(1.5), second, silence(1)])
    begin = 2.5 + len(first) / 8000
    return signal, [(1.0, 1.0 + len(first) / 8000), (begin, begin + len(second) / 8000)]


@pytest.mark.parametrize("rate", [0, 11025, 32000, -8000])
def test_other_sample_rates_are_refused(rate: int) -> None:
    with pytest.raises(ValueError, match="sample_rate_hz"):
        VoiceActivityDetector(rate)


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("gain_db", [-24, 0, 15])
def test_talk_spurts_are_found_where_they_are(
    two_spurts: tuple[Signal, list[tuple[float, float]]], rate: int, gain_db: float
) -> None:
    signal, truth = two_spurts
    samples = as_int16(resample_poly(signal * 10 ** (gain_db / 20), rate // 8000, 1))
    found = spurts(VoiceActivityDetector(rate).update(samples))
    assert found[0].start_s == pytest.approx(truth[0][0], abs=0.06)
    # The word ends in a weak plosive, 30 dB down: at -50 dBov that is lost in the noise floor.
    assert found[0].end_s == pytest.approx(truth[0][1], abs=0.15 if gain_db < -20 else 0.1)
    assert found[-1].end_s == pytest.approx(truth[1][1], abs=0.1)
    assert any(event.start_s == pytest.approx(truth[1][0], abs=0.06) for event in found)
    assert found[0].level_dbov == pytest.approx(-26 + gain_db, abs=1.5)


def test_start_is_reported_within_200_ms_of_the_onset(
    two_spurts: tuple[Signal, list[tuple[float, float]]],
) -> None:
    signal, truth = two_spurts
    samples, detector = as_int16(signal), VoiceActivityDetector(8000)
    for at in range(0, len(samples), 80):
        if detector.update(samples[at : at + 80]):
            assert (at + 80) / 8000 <= truth[0][0] + 0.2
            assert detector.active
            return
    pytest.fail("no talk-spurt reported")


def test_noise_alone_is_no_speech() -> None:
    detector = VoiceActivityDetector(8000)
    assert detector.update(as_int16(noise(20, -40))) == []
    assert not detector.active


@pytest.mark.parametrize("frequency_hz", [350, 425, 450, 1100, 2100])
def test_tones_are_no_speech(frequency_hz: int) -> None:
    t = np.arange(8000 * 8) / 8000
    cadenced = 0.1 * np.sin(2 * np.pi * frequency_hz * t) * (t % 2 < 1)
    found = spurts(VoiceActivityDetector(8000).update(as_int16(cadenced)))
    assert sum(event.end_s - event.start_s for event in found) < 0.5


def test_speech_in_noise_is_found(
    two_spurts: tuple[Signal, list[tuple[float, float]]],
) -> None:
    signal, truth = two_spurts
    noisy = signal + noise(len(signal) / 8000, -41)[: len(signal)]
    found = spurts(VoiceActivityDetector(8000).update(as_int16(noisy)))
    assert found[0].start_s == pytest.approx(truth[0][0], abs=0.1)
    assert found[-1].end_s == pytest.approx(truth[1][1], abs=0.15)


@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 700), min_size=1, max_size=5).filter(lambda some: sum(some)),
    rate=st.sampled_from([8000, 16000, 48000]),
)
def test_the_way_the_stream_is_cut_changes_nothing(lengths: list[int], rate: int) -> None:
    signal = np.concatenate([silence(0.3), prompt("activated"), silence(0.5)])
    samples = as_int16(resample_poly(signal, rate // 8000, 1))
    whole = VoiceActivityDetector(rate).update(samples)
    pieces = VoiceActivityDetector(rate)
    assert [event for cut in cuts(samples, lengths) for event in pieces.update(cut)] == whole
    assert len(whole) >= 2


def test_reset_forgets_everything() -> None:
    samples = as_int16(np.concatenate([silence(0.5), prompt("activated"), silence(0.5)]))
    detector = VoiceActivityDetector(8000)
    first = detector.update(samples)
    detector.update(as_int16(prompt("agent-loginok")))
    detector.reset()
    assert not detector.active
    assert detector.update(samples) == first


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 32767]))
def test_extreme_samples_do_no_harm(seed: int, scale: int) -> None:
    rng = np.random.default_rng(seed)
    samples = (rng.choice([-1, 1], 16000) * scale).astype(np.int16)
    detector = VoiceActivityDetector(8000)
    for event in detector.update(samples):
        assert event.end_s >= event.start_s >= 0
    assert 0 <= detector.speech_probability <= 1


def test_network_agrees_with_the_slow_reference() -> None:
    samples = as_int16(np.concatenate([silence(0.5), prompt("activated"), noise(1, -50)]))
    detector, heard = VoiceActivityDetector(8000), []
    detector.update(samples[:128])
    for at in range(128, len(samples) - 127, 128):
        detector.update(samples[at : at + 128])
        heard.append(detector.speech_probability)
    np.testing.assert_allclose(heard, speech_probability(samples / 32768), atol=2e-3)

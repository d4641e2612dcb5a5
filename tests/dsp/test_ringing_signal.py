import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dsp.tone_signals import dial_pulses, ringing, silence, to_int16, tone, white_noise
from thirdring_dsp import DspEvent, RingingSignalDetector
from thirdring_dsp.reference.steady_tone import tone_spans


def of_kind(events: list[DspEvent], kind: str) -> list[DspEvent]:
    return [event for event in events if event.kind == kind]


@pytest.mark.parametrize("clip", [1.0, 0.7])
@pytest.mark.parametrize("frequency_hz", [15, 16.7, 20, 25, 30, 33, 50, 60, 68])
def test_ringing_of_every_frequency_and_shape(frequency_hz: float, clip: float) -> None:
    signal = ringing([1, 4], 9, frequency_hz=frequency_hz, clip=clip)
    events = RingingSignalDetector().update(to_int16(signal))
    rings = of_kind(events, "ring")
    assert len(rings) == 2
    assert float(rings[0].value) == pytest.approx(frequency_hz, rel=0.02)
    assert rings[1].start_s == pytest.approx(5.0, abs=0.05)
    assert rings[1].end_s == pytest.approx(6.0, abs=0.05)


@pytest.mark.parametrize("frequency_hz", [5, 10, 12, 76, 100, 400])
def test_other_frequencies_are_not_ringing(frequency_hz: float) -> None:
    assert RingingSignalDetector().update(to_int16(ringing([1, 4], 9, frequency_hz=frequency_hz))) == []


@pytest.mark.parametrize("rate_hz", [8000, 16000, 48000])
@pytest.mark.parametrize(
    ("pattern_s", "cadence"),
    [([1, 4], "1.0/4.0"), ([2, 4], "2.0/4.0"), ([0.4, 0.2, 0.4, 2], "0.4/0.2/0.4/2.0")],
)
def test_the_cadence_is_reported_once(pattern_s: list[float], cadence: str, rate_hz: int) -> None:
    events = RingingSignalDetector(rate_hz).update(to_int16(ringing(pattern_s, 20, rate_hz=rate_hz)))
    assert [event.value for event in of_kind(events, "ring_cadence")] == [cadence]


def test_the_end_of_ringing_counts_the_rings() -> None:
    line = np.concatenate([silence(500) - 6000, ringing([1, 4], 15), silence(9000) - 6000])
    (end,) = of_kind(RingingSignalDetector().update(to_int16(line)), "ringing_end")
    assert end.value == "3"
    assert (end.start_s, end.end_s) == pytest.approx((0.5, 11.5), abs=0.05)


@pytest.mark.parametrize("per_s", [8, 10, 12, 16, 20, 25])
@pytest.mark.parametrize("open_share", [0.5, 0.6, 0.67])
def test_dial_pulses_are_not_ringing(per_s: float, open_share: float) -> None:
    line = dial_pulses([1, 2, 5, 9, 0, 0], per_s=per_s, open_share=open_share)
    assert RingingSignalDetector().update(to_int16(line)) == []


def test_noise_tones_and_hook_flashes_are_not_ringing() -> None:
    rng = np.random.default_rng(5)
    assert RingingSignalDetector().update(to_int16(white_noise(80000, 1e6, rng))) == []
    for hz in (350, 425, 450, 1100):
        assert RingingSignalDetector().update(to_int16(tone(hz, 3000, -5) - 1000)) == []
    flashes = np.repeat(np.tile([-1000.0, -6000.0], 20), 2400)
    assert RingingSignalDetector().update(to_int16(flashes)) == []


def test_the_level_limit_is_kept() -> None:
    weak = to_int16(ringing([1, 4], 3, peak=300))
    assert RingingSignalDetector().update(weak) == []
    assert len(RingingSignalDetector(level_min_dbov=-55).update(weak)) == 2


def test_ringing_in_noise_agrees_with_the_oracle() -> None:
    rng = np.random.default_rng(8)
    line = ringing([1, 3], 8, frequency_hz=20)
    samples = to_int16(line + white_noise(len(line), 8000**2 / 2 / 30, rng))
    rings = of_kind(RingingSignalDetector().update(samples), "ring")
    spans = tone_spans(samples, 8000, 10, 80, smoothing_s=0.1, power_min=1e7)
    assert [(ring.start_s, ring.end_s) for ring in rings] == [pytest.approx(span, abs=0.08) for span in spans]


@settings(max_examples=15, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 4000), min_size=1, max_size=60),
    rate_hz=st.sampled_from([8000, 16000, 48000]),
)
def test_events_do_not_depend_on_how_the_stream_is_cut(cuts: list[int], rate_hz: int) -> None:
    samples = to_int16(ringing([0.4, 0.3], 4, rate_hz=rate_hz))
    whole = RingingSignalDetector(rate_hz).update(samples)
    detector = RingingSignalDetector(rate_hz)
    pieces = np.split(samples, np.minimum(np.cumsum(cuts), len(samples)))
    assert [event for piece in pieces for event in detector.update(piece)] == whole
    detector.reset()
    assert detector.update(samples) == whole


@pytest.mark.parametrize(("rate_hz", "level_min_dbov"), [(44100, -40), (8000, 0), (8000, -90)])
def test_bad_arguments_are_refused(rate_hz: int, level_min_dbov: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        RingingSignalDetector(rate_hz, level_min_dbov)

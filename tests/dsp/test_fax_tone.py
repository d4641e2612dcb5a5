import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dsp.tone_signals import (
    amplitude,
    answer_tone,
    cng,
    dtmf_string,
    silence,
    to_int16,
    tone,
    white_noise,
)
from thirdring_dsp import DspEvent, FaxToneDetector
from thirdring_dsp.reference.steady_tone import tone_spans


def kinds(events: list[DspEvent]) -> list[str]:
    return [event.kind for event in events]


@pytest.mark.parametrize("rate_hz", [8000, 16000, 48000])
def test_each_burst_of_cng_is_reported(rate_hz: int) -> None:
    samples = to_int16(cng(2, rate_hz=rate_hz))
    events = FaxToneDetector(rate_hz).update(samples)
    assert kinds(events) == ["cng", "cng"]
    assert [(e.start_s, e.end_s) for e in events] == [
        pytest.approx(span, abs=0.01) for span in ((0.5, 1.0), (4.0, 4.5))
    ]
    assert events[0].level_dbm0 == pytest.approx(-15.0, abs=0.3)


@pytest.mark.parametrize("rate_hz", [8000, 16000, 48000])
@pytest.mark.parametrize("modulated", [False, True])
@pytest.mark.parametrize("reversed_phase", [False, True])
def test_the_four_answer_tones_are_told_apart(rate_hz: int, modulated: bool, reversed_phase: bool) -> None:
    signal = answer_tone(rate_hz=rate_hz, modulated=modulated, reversed_phase=reversed_phase)
    events = FaxToneDetector(rate_hz).update(to_int16(signal))
    name = "ANSam" if modulated else "ANS"
    assert kinds(events) == ["ced", *["ced_phase_reversal"] * (6 * reversed_phase), "ced_end"]
    assert events[0].value == name
    assert events[-1].value == ("/" if reversed_phase else "") + name
    assert events[-1].start_s == pytest.approx(0.5, abs=0.01)
    assert events[-1].end_s == pytest.approx(3.5, abs=0.01)
    for index, event in enumerate(events[1:-1], 1):
        assert event.start_s == pytest.approx(0.5 + 0.45 * index, abs=0.01)


@pytest.mark.parametrize("off_hz", [-38, 0, 38])
def test_cng_may_be_off_by_38_hz(off_hz: float) -> None:
    assert kinds(FaxToneDetector().update(to_int16(cng(1, off_hz=off_hz)))) == ["cng"]


@pytest.mark.parametrize("off_hz", [-15, 0, 15])
def test_ced_may_be_off_by_15_hz(off_hz: float) -> None:
    assert kinds(FaxToneDetector().update(to_int16(answer_tone(off_hz=off_hz)))) == ["ced", "ced_end"]


@pytest.mark.parametrize(
    ("frequency_hz", "duration_ms"),
    [
        (1100, 250),
        (1100, 900),
        (1100, 5000),
        (1040, 500),
        (1160, 500),
        (2100, 400),
        (2060, 3000),
        (2225, 3000),
    ],
)
def test_tones_that_are_not_fax_tones(frequency_hz: float, duration_ms: float) -> None:
    signal = np.concatenate([silence(200), tone(frequency_hz, duration_ms), silence(500)])
    assert FaxToneDetector().update(to_int16(signal)) == []


@pytest.mark.parametrize("seed", range(6))
def test_noise_at_10_db(seed: int) -> None:
    rng = np.random.default_rng(seed)
    power = amplitude(-15) ** 2 / 20
    for signal, expected in (
        (cng(1), ["cng"]),
        (answer_tone(), ["ced", "ced_end"]),
        (answer_tone(modulated=True, reversed_phase=True), ["ced", *["ced_phase_reversal"] * 6, "ced_end"]),
    ):
        assert (
            kinds(FaxToneDetector().update(to_int16(signal + white_noise(len(signal), power, rng))))
            == expected
        )


def test_noise_and_dtmf_are_not_fax_tones() -> None:
    rng = np.random.default_rng(1)
    detector = FaxToneDetector()
    assert detector.update(to_int16(white_noise(160000, 1e6, rng))) == []
    assert detector.update(to_int16(dtmf_string("123A456B789C*0#D", 600, 100))) == []


@settings(max_examples=20, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 3000), min_size=1, max_size=60),
    rate_hz=st.sampled_from([8000, 16000, 48000]),
)
def test_events_do_not_depend_on_how_the_stream_is_cut(cuts: list[int], rate_hz: int) -> None:
    samples = to_int16(
        np.concatenate([cng(1, rate_hz=rate_hz), answer_tone(1500, reversed_phase=True, rate_hz=rate_hz)])
    )
    whole = FaxToneDetector(rate_hz).update(samples)
    detector = FaxToneDetector(rate_hz)
    pieces = np.split(samples, np.minimum(np.cumsum(cuts), len(samples)))
    assert [event for piece in pieces for event in detector.update(piece)] == whole
    detector.reset()
    assert detector.update(samples) == whole


def test_spans_agree_with_the_oracle() -> None:
    rng = np.random.default_rng(3)
    signal = np.concatenate([cng(2, off_hz=12), answer_tone(2000)])
    samples = to_int16(signal + white_noise(len(signal), amplitude(-15) ** 2 / 60, rng))
    events = FaxToneDetector().update(samples)
    spans = tone_spans(samples, 8000, 1000, 1200, power_min=1e5)
    assert [(e.start_s, e.end_s) for e in events if e.kind == "cng"] == [
        pytest.approx(s, abs=0.02) for s in spans
    ]
    (span,) = tone_spans(samples, 8000, 2000, 2200, power_min=1e5)
    assert (events[-1].start_s, events[-1].end_s) == pytest.approx(span, abs=0.02)


def test_unknown_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="sample_rate_hz"):
        FaxToneDetector(44100)

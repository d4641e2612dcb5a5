"""The call progress detector on made signals: every tone of the plans, and what must not be one."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dsp import cadence_signals as cs
from thirdring_dsp import CallProgressDetector, DspEvent
from thirdring_dsp.reference import call_progress as reference
from thirdring_dsp.tone_plans import Segment, Tone, countries, plan, render

LEVEL_DBM0 = -13.0


def heard(country: str, signal: cs.Samples, rate_hz: int = 8000) -> list[DspEvent]:
    return CallProgressDetector(rate_hz, plan(country)).update(signal)


def rings_of(tone: Tone, cycles: int) -> int:
    return cycles * sum(s.is_silence and s.duration_s > 1.2 for s in tone.segments)


def check(tone: Tone, events: list[DspEvent]) -> None:
    kinds = [event.kind for event in events]
    if tone.kind == "ringback":
        count = rings_of(tone, cs.cycles_needed(tone))
        assert kinds == ["ringback"] * count
        assert [event.value for event in events] == [str(i + 1) for i in range(count)]
    else:
        assert kinds == [cs.EVENT_OF[tone.kind]]


@pytest.mark.parametrize("country", countries())
def test_every_tone_of_a_plan_is_told_from_its_others(country: str) -> None:
    for tone in cs.all_tones(plan(country)):
        check(tone, heard(country, cs.signal_of(tone, cs.cycles_needed(tone))))


@pytest.mark.parametrize("country", ["CN", "DE", "GB", "JP", "US", "ZA"])
def test_cadences_are_recognised_at_2_db_of_signal_to_noise(country: str) -> None:
    random = np.random.default_rng(7)
    for tone in cs.all_tones(plan(country)):
        signal = cs.signal_of(tone, cs.cycles_needed(tone))
        check(
            tone,
            heard(country, cs.with_noise(signal, cs.tone_power(tone, LEVEL_DBM0), 2.0, random)),
        )


@pytest.mark.parametrize("rate_hz", [16000, 48000])
@pytest.mark.parametrize("country", ["CN", "US"])
def test_other_sample_rates_hear_the_same(country: str, rate_hz: int) -> None:
    for tone in cs.all_tones(plan(country)):
        signal = cs.signal_of(tone, cs.cycles_needed(tone), sample_rate_hz=rate_hz)
        check(tone, heard(country, signal, rate_hz))


@pytest.mark.parametrize("country", ["CN", "GB", "JP", "US"])
def test_times_and_levels_of_rings_are_those_of_the_signal(country: str) -> None:
    tone = plan(country).tone("ringback")
    bursts = [s.duration_s for s in tone.segments]
    # The edges of a tone that is modulated at 16 Hz are themselves soft.
    exact_s = 0.02 if tone.segments[0].modulation_hz else 0.012
    for number, event in enumerate(heard(country, cs.signal_of(tone, 3))):
        start_s = 0.5 + number * tone.period_s
        assert event.start_s == pytest.approx(start_s, abs=exact_s)
        assert event.end_s == pytest.approx(start_s + sum(bursts[:-1]), abs=exact_s)
        assert event.level_dbm0 == pytest.approx(LEVEL_DBM0, abs=0.3)
        assert event.level_dbov == pytest.approx(LEVEL_DBM0 - 6.15, abs=0.3)


@pytest.mark.parametrize("country", ["CN", "DE", "FR", "GB", "HK", "TR", "US", "ZA"])
def test_rings_are_those_that_the_oracle_finds_in_the_whole_recording(country: str) -> None:
    tone = plan(country).tone("ringback")
    signal = cs.with_noise(
        cs.signal_of(tone, 4), cs.tone_power(tone, LEVEL_DBM0), 12.0, np.random.default_rng(4)
    )
    expected = reference.rings(signal, 8000, plan(country))
    events = heard(country, signal)
    assert len(events) == len(expected) == 4
    for event, (start_s, end_s) in zip(events, expected, strict=True):
        assert event.start_s == pytest.approx(start_s, abs=0.03)
        assert event.end_s == pytest.approx(end_s, abs=0.03)


def test_first_ring_is_known_by_the_end_of_its_pause_and_later_ones_when_they_end() -> None:
    tone = plan("CN").tone("ringback")
    detector = CallProgressDetector(8000, plan("CN"))
    signal = render(tone, 8000, 11.1, LEVEL_DBM0)
    known_s = []
    for at in range(0, len(signal), 80):
        known_s += [(at + 80) / 8000 for _ in detector.update(signal[at : at + 80])]
    assert len(known_s) == 3
    assert known_s[0] <= 5.0
    assert known_s[1] <= 6.1
    assert known_s[2] <= 11.1


def test_ring_that_the_start_of_the_stream_cuts_short_is_counted_too() -> None:
    signal = render(plan("CN").tone("ringback"), 8000, 11.2, LEVEL_DBM0)[4800:].copy()
    assert [event.value for event in heard("CN", signal)] == ["1", "2", "3"]


def test_ringback_is_never_taken_for_dial_tone() -> None:
    for country in countries():
        for tone in plan(country).alternatives("ringback"):
            kinds = {event.kind for event in heard(country, cs.signal_of(tone, 3))}
            assert kinds == {"ringback"}, country


def test_ringback_then_busy_are_both_told_and_the_count_starts_again() -> None:
    china = plan("CN")
    signal = np.concatenate(
        [
            render(china.tone("ringback"), 8000, 10.0),
            render(china.tone("busy"), 8000, 3.5),
            np.zeros(32000, np.int16),
            render(china.tone("ringback"), 8000, 10.0),
        ]
    )
    events = heard("CN", signal)
    assert [(e.kind, e.value) for e in events] == [
        ("ringback", "1"),
        ("ringback", "2"),
        ("busy", ""),
        ("ringback", "1"),
        ("ringback", "2"),
    ]


@pytest.mark.parametrize("country", ["CN", "GB", "JP", "RU", "US"])
def test_frequency_tolerance_is_that_of_the_plan(country: str) -> None:
    tolerance = plan(country).frequency_tolerance_hz
    tone = plan(country).tone("ringback")
    for sign in (-1, 1):
        inside = cs.signal_of(cs.shifted(tone, sign * (tolerance - 0.5)), 2)
        outside = cs.signal_of(cs.shifted(tone, sign * (tolerance + 5)), 2)
        assert len(heard(country, inside)) == 2
        assert heard(country, outside) == []


@pytest.mark.parametrize("factor", [0.9, 1.1])
@pytest.mark.parametrize("country", ["CN", "GB", "US"])
def test_cadences_may_be_off_by_their_tolerance(country: str, factor: float) -> None:
    for kind in ("ringback", "busy", "congestion"):
        tone = plan(country).tone(kind)
        events = heard(country, cs.signal_of(cs.stretched(tone, factor), cs.cycles_needed(tone)))
        check(tone, events)


def test_a_wrong_cadence_is_no_tone() -> None:
    for on_s, off_s in ((0.5, 0.5), (1.0, 1.0), (0.35, 0.7), (1.5, 4.0)):
        tone = Tone("busy", (Segment((450.0,), 0.0, on_s), Segment((), 0.0, off_s)))
        assert heard("CN", cs.signal_of(tone, 4)) == [], (on_s, off_s)


def test_tone_that_music_or_noise_fills_the_pauses_of_is_no_ringback() -> None:
    signal = render(plan("CN").tone("ringback"), 8000, 15.0, -13.0)
    random = np.random.default_rng(3)
    noise = np.round(random.normal(0, 2000, len(signal))).astype(np.int16)
    assert heard("CN", np.where(signal == 0, noise, signal).astype(np.int16)) == []


def test_call_waiting_is_heard_between_speech() -> None:
    tone = plan("CN").tone("call_waiting")
    signal = render(tone, 8000, 14.0, -13.0)
    speech = np.concatenate([cs.samples_of(path) for path in cs.recordings("sounds/en_US_f_Allison")[:40]])[
        : len(signal)
    ]
    mixed = np.where(signal == 0, speech, signal).astype(np.int16)
    assert [event.kind for event in heard("CN", mixed)] == ["call_waiting"]


@pytest.mark.parametrize("path", cs.recordings("moh"), ids=lambda path: path.stem)
def test_melody_in_place_of_ringback_is_reported_as_unknown(path: Path) -> None:
    signal = cs.samples_of(path)
    kinds = [event.kind for event in heard("CN", signal)]
    assert kinds[:1] == ["unknown_ringback"]
    assert set(kinds) == {"unknown_ringback"}


@settings(max_examples=25, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 3000), min_size=1, max_size=30),
    rate_hz=st.sampled_from([8000, 16000, 48000]),
    country=st.sampled_from(["CN", "GB", "JP", "US"]),
    seed=st.integers(0, 1000),
)
def test_result_does_not_depend_on_how_the_stream_is_cut(
    cuts: list[int], rate_hz: int, country: str, seed: int
) -> None:
    tone = plan(country).tone("ringback")
    signal = cs.with_noise(
        render(tone, rate_hz, 7.5), cs.tone_power(tone, -13), 6.0, np.random.default_rng(seed)
    )
    detector = CallProgressDetector(rate_hz, plan(country))
    whole = detector.update(signal)
    detector.reset()
    parts: list[DspEvent] = []
    at = 0
    for cut in cuts:
        parts += detector.update(signal[at : at + cut])
        at += cut
    parts += detector.update(signal[at:])
    assert parts == whole
    assert whole


@settings(max_examples=30, deadline=None)
@given(
    country=st.sampled_from(countries()),
    level_dbm0=st.floats(-35.0, -4.0),
    offset=st.floats(-0.9, 0.9),
    factor=st.floats(0.92, 1.08),
    lead=st.integers(0, 4000),
)
def test_rings_are_counted_at_any_level_offset_pace_and_phase(
    country: str, level_dbm0: float, offset: float, factor: float, lead: int
) -> None:
    tone = plan(country).tone("ringback")
    tone = cs.stretched(cs.shifted(tone, offset * plan(country).frequency_tolerance_hz), factor)
    signal = np.concatenate([np.zeros(lead, np.int16), cs.signal_of(tone, 3, level_dbm0)])
    events = heard(country, signal)
    assert [e.kind for e in events] == ["ringback"] * rings_of(tone, 3)
    assert events[0].start_s == pytest.approx(0.5 + lead / 8000, abs=0.02)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    scale=st.floats(1.0, 30000.0),
    country=st.sampled_from(["CN", "IN", "JP", "US"]),
)
def test_noise_of_any_level_is_never_a_tone(seed: int, scale: float, country: str) -> None:
    noise = np.random.default_rng(seed).normal(0, scale, 80000)
    assert heard(country, np.clip(noise, -32768, 32767).astype(np.int16)) == []


def test_extreme_and_empty_blocks_are_taken() -> None:
    detector = CallProgressDetector(8000, plan("CN"))
    assert detector.update(np.zeros(0, np.int16)) == []
    square = np.where(np.arange(80000) // 9 % 2, 32767, -32768).astype(np.int16)
    detector.update(square)
    detector.update(np.full(80000, -32768, np.int16))
    detector.reset()
    tone = plan("CN").tone("ringback")
    check(tone, detector.update(cs.signal_of(tone, 2)))


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="8000, 16000 or 48000"):
        CallProgressDetector(44100, plan("CN"))
    with pytest.raises((ValueError, TypeError)):
        CallProgressDetector(8000, plan("CN")).update(np.zeros(10, np.float32))


@pytest.mark.parametrize("folder", ["sounds/en_US_f_Allison", "sounds/it_IT_m_Carlo"])
def test_prompts_hold_no_tone(folder: str) -> None:
    detector = CallProgressDetector(8000, plan("CN"))
    for path in cs.recordings(folder):
        if path.stem != "tt-monkeys":  # apes, not speech
            detector.reset()
            assert detector.update(cs.samples_of(path)) == [], path.name


def test_two_near_tones_are_one_burst_whatever_their_phases() -> None:
    """Australia's 413 and 438 Hz may begin and end at a null of their beat."""
    detector = CallProgressDetector(8000, plan("AU"))
    random = np.random.default_rng(5)
    seconds = np.arange(8 * 8000) / 8000
    at = np.where(seconds >= 0.5, (seconds - 0.5) % 3.0, 2.0)
    sounding = ((at < 0.4) | ((at >= 0.6) & (at < 1.0))) & (seconds < 6.5)
    for _ in range(60):
        phases = random.uniform(0, 2 * np.pi, 2)
        tones = sum(np.sin(2 * np.pi * hz * seconds + p) for hz, p in zip((413, 438), phases, strict=True))
        detector.reset()
        events = detector.update(np.round(3600 * tones * sounding).astype(np.int16))
        assert [event.kind for event in events] == ["ringback"] * 2


def test_noise_between_the_bursts_of_call_waiting_is_no_music() -> None:
    random = np.random.default_rng(9)
    for country in ("CN", "AU", "FI", "VE"):
        tone = plan(country).tone("call_waiting")
        samples = render(tone, 8000, 20.0)
        power = float(np.mean(samples[np.abs(samples) > 0].astype(float) ** 2))
        events = heard(country, cs.with_noise(samples, power, 10.0, random))
        assert "unknown_ringback" not in {event.kind for event in events}

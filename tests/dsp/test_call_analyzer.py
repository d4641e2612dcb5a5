import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dsp.signals import tone
from tests.dsp.talk_signals import Samples, as_int16, cuts, placed, silence, talk
from thirdring_dsp import (
    AcousticLimiter,
    AutomaticGainControl,
    CallAnalyzer,
    CallProgressDetector,
    DtmfDetector,
    FaxToneDetector,
    NoiseGate,
    NoiseMeter,
    SpeechLevelMeter,
    SyllableRateMeter,
    TalkAnalyzer,
)
from thirdring_dsp.tone_plans import plan


@pytest.fixture(scope="module")
def call() -> tuple[Samples, Samples]:
    """An agent who is too quiet and talks over the customer; ringback and a digit before that."""
    digit = tone(770, 0.1, -16) + tone(1336, 0.1, -16)
    ringback = [(at, tone(450, 1, -14)) for at in (0.5, 5.5)]
    agent = placed(26, (10.5, talk(5, level_dbov=-40)), (20, talk(3, level_dbov=-40)))
    customer = placed(26, *ringback, (9.0, digit), (17, talk(6)))
    return as_int16(agent), as_int16(customer)


def processed(analyzer: CallAnalyzer, call: tuple[Samples, Samples]) -> tuple[list[str], Samples, Samples]:
    to_line, to_ear = np.empty_like(call[0]), np.empty_like(call[1])
    events = analyzer.process(*call, to_line, to_ear)
    return [f"{event.kind} {event.value}".strip() for event in events], to_line, to_ear


def test_a_call_is_heard_whole(call: tuple[Samples, Samples]) -> None:
    analyzer = CallAnalyzer(8000, plan("CN"))
    told, to_line, to_ear = processed(analyzer, call)
    for event in (
        "dtmf 5",
        "talk_spurt agent",
        "talk_spurt customer",
        "overlap agent",
        "interruption agent",
    ):
        assert event in told, told
    assert any(event.startswith("ringback") for event in told)
    assert analyzer.agent_before.active_speech_level_dbov == pytest.approx(-40, abs=2)
    assert analyzer.agent_after.sliding_active_speech_level_dbov == pytest.approx(-26, abs=2.5)
    assert 2 < analyzer.customer_pace.syllables_per_s < 8
    assert np.abs(to_line.astype(int)).max() <= 32768 * 10 ** (-3 / 20) + 1
    assert np.abs(to_ear.astype(int)).max() <= 32768 * 10 ** (-6 / 20) + 1


def test_every_part_does_what_it_does_alone(call: tuple[Samples, Samples]) -> None:
    agent, customer = call
    together = CallAnalyzer(8000, plan("CN"))
    to_line, to_ear = np.empty_like(agent), np.empty_like(customer)
    events = together.process(agent, customer, to_line, to_ear)
    alone = (
        TalkAnalyzer(8000).update(agent, customer)
        + DtmfDetector(8000).update(customer)
        + FaxToneDetector(8000).update(customer)
        + CallProgressDetector(8000, plan("CN")).update(customer)
    )
    assert sorted(events) == sorted(alone)
    amplified = AutomaticGainControl(8000).process(NoiseGate(8000).process(agent))
    np.testing.assert_array_equal(to_line, AcousticLimiter(8000, -3.0).process(amplified))
    np.testing.assert_array_equal(to_ear, AcousticLimiter(8000).process(customer))
    for samples, ours in ((agent, together.agent_before), (to_line, together.agent_after)):
        level = SpeechLevelMeter(8000)
        level.update(samples)
        assert ours.active_speech_level_dbov == level.active_speech_level_dbov
    for samples, noise in ((agent, together.agent_noise), (customer, together.customer_noise)):
        meter = NoiseMeter(8000)
        meter.update(samples)
        assert noise.noise_level_dbov == meter.noise_level_dbov
    for samples, pace in ((agent, together.agent_pace), (customer, together.customer_pace)):
        single = SyllableRateMeter(8000)
        single.update(samples)
        assert pace.syllables == single.syllables > 0


def test_a_fax_caller_is_heard() -> None:
    customer = as_int16(placed(6, (1, tone(1100, 0.5, -20)), (4.5, tone(1100, 0.5, -20))))
    expected = FaxToneDetector(8000).update(customer)
    assert expected
    assert CallAnalyzer(8000).process(np.zeros_like(customer), customer) == expected


def test_without_a_plan_there_is_no_call_progress(call: tuple[Samples, Samples]) -> None:
    analyzer = CallAnalyzer(8000)
    told, _, _ = processed(analyzer, call)
    assert analyzer.progress is None
    assert "dtmf 5" in told
    assert not any(event.startswith("ringback") for event in told)


def test_outputs_may_be_the_inputs_or_left_out(call: tuple[Samples, Samples]) -> None:
    told, to_line, to_ear = processed(CallAnalyzer(8000), call)
    agent, customer = call[0].copy(), call[1].copy()
    CallAnalyzer(8000).process(agent, customer, agent, customer)
    np.testing.assert_array_equal(agent, to_line)
    np.testing.assert_array_equal(customer, to_ear)
    events = CallAnalyzer(8000).process(*call)
    assert [f"{event.kind} {event.value}".strip() for event in events] == told


@pytest.mark.parametrize("rate", [16000, 48000])
def test_other_sample_rates_work(rate: int) -> None:
    analyzer = CallAnalyzer(rate, plan("CN"))
    quiet = np.zeros(rate, np.int16)
    assert analyzer.process(quiet, quiet) == []
    assert math.isnan(analyzer.agent_pace.syllables_per_s)


def test_unequal_blocks_and_other_sample_rates_are_refused() -> None:
    analyzer, block = CallAnalyzer(8000), np.zeros(160, np.int16)
    for blocks in ((block, block[:80]), (block, block, block[:80]), (block, block, block, block[:80])):
        with pytest.raises(ValueError, match="equally long"):
            analyzer.process(*blocks)
    with pytest.raises(ValueError, match="sample_rate_hz"):
        CallAnalyzer(44100)


@settings(max_examples=15, deadline=None)
@given(lengths=st.lists(st.integers(0, 900), min_size=1, max_size=4).filter(lambda some: sum(some)))
def test_the_way_the_stream_is_cut_changes_nothing(lengths: list[int]) -> None:
    digit = tone(770, 0.1, -16) + tone(1336, 0.1, -16)
    agent = as_int16(placed(6, (0.5, talk(2)), (3.5, talk(1.5))))
    customer = as_int16(placed(6, (0.2, digit), (1.2, talk(3))))
    whole, pieces = CallAnalyzer(8000, plan("CN")), CallAnalyzer(8000, plan("CN"))
    expected_line, to_line = np.empty_like(agent), []
    expected = whole.process(agent, customer, expected_line)
    found = []
    for ours, theirs in zip(cuts(agent, lengths), cuts(customer, lengths), strict=True):
        out = np.empty_like(ours)
        found += pieces.process(ours, theirs, out)
        to_line.append(out)
    assert sorted(found) == sorted(expected)
    np.testing.assert_array_equal(np.concatenate(to_line), expected_line)
    pieces.reset()
    assert pieces.process(agent, customer) == expected


def test_silence_is_dead_air() -> None:
    block = as_int16(silence(3))
    (begun,) = CallAnalyzer(8000, dead_air_s=2).process(block, block)
    assert (begun.kind, begun.value) == ("dead_air", "begun")

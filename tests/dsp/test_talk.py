import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dsp.talk_signals import as_int16, cuts, placed, silence, talk
from thirdring_dsp import DspEvent, TalkAnalyzer


def analyzed(
    agent: np.ndarray[tuple[int], np.dtype[np.float64]],
    customer: np.ndarray[tuple[int], np.dtype[np.float64]],
    **limits: float,
) -> list[DspEvent]:
    return TalkAnalyzer(8000, **limits).update(as_int16(agent), as_int16(customer))


def of_kind(events: list[DspEvent], kind: str) -> list[DspEvent]:
    return [event for event in events if event.kind == kind]


def test_alternating_talk_gives_a_talk_spurt_a_side_and_no_overlap() -> None:
    events = analyzed(placed(6, (0.5, talk(1.5))), placed(6, (3, talk(1.5))))
    spurts = of_kind(events, "talk_spurt")
    assert [spurt.value for spurt in spurts] == ["agent", "customer"]
    assert spurts[0].start_s == pytest.approx(0.5, abs=0.08)
    assert spurts[1].end_s == pytest.approx(4.5, abs=0.12)
    assert [event.value for event in of_kind(events, "talk_spurt_start")] == ["agent", "customer"]
    assert not of_kind(events, "overlap")
    assert not of_kind(events, "interruption")


def test_double_talk_is_reported_with_its_ends_and_who_came_second() -> None:
    events = analyzed(placed(7, (0.5, talk(3))), placed(7, (2.5, talk(3))))
    (overlap,) = of_kind(events, "overlap")
    assert overlap.value == "customer"
    assert overlap.start_s == pytest.approx(2.5, abs=0.1)
    assert overlap.end_s == pytest.approx(3.5, abs=0.12)
    assert not of_kind(events, "interruption"), "the customer may interrupt the agent"


def test_talk_within_the_other_sides_talk_is_one_overlap() -> None:
    events = analyzed(placed(7, (2, talk(1))), placed(7, (0.5, talk(4.5))))
    (overlap,) = of_kind(events, "overlap")
    assert overlap.value == "agent"
    assert overlap.start_s == pytest.approx(2, abs=0.1)
    assert overlap.end_s == pytest.approx(3, abs=0.12)


def test_agent_who_talks_over_the_customer_interrupts_once() -> None:
    events = analyzed(placed(8, (2, talk(3))), placed(8, (0.5, talk(6))))
    (interruption,) = of_kind(events, "interruption")
    assert interruption.value == "agent"
    assert interruption.start_s == pytest.approx(2, abs=0.1)
    assert interruption.end_s - interruption.start_s == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize(
    ("customer_starts_s", "agent_talks_s"),
    [(0.5, 0.45), (1.8, 3.0)],
    ids=["back_channel", "both_begin_together"],
)
def test_short_or_simultaneous_talk_is_no_interruption(
    customer_starts_s: float, agent_talks_s: float
) -> None:
    events = analyzed(placed(8, (2, talk(agent_talks_s))), placed(8, (customer_starts_s, talk(5.5))))
    assert not of_kind(events, "interruption")
    assert of_kind(events, "overlap")


def test_dead_air_is_told_at_the_crossing_and_when_it_ends() -> None:
    analyzer = TalkAnalyzer(8000, dead_air_s=3)
    agent = as_int16(placed(12, (1, talk(1.5)), (9, talk(1))))
    customer = as_int16(silence(12))
    told = [
        ((at + 160) / 8000, event)
        for at in range(0, len(agent), 160)
        for event in analyzer.update(agent[at : at + 160], customer[at : at + 160])
        if event.kind == "dead_air"
    ]
    (begun_at_s, begun), (_, ended) = told
    assert (begun.value, ended.value) == ("begun", "ended")
    assert begun.start_s == ended.start_s == pytest.approx(2.5, abs=0.12)
    assert begun.end_s == begun.start_s + 3
    assert begun.end_s <= begun_at_s <= begun.end_s + 0.25
    assert ended.end_s == pytest.approx(9, abs=0.08)


def test_silence_from_the_start_is_dead_air() -> None:
    (begun,) = analyzed(silence(5), silence(5), dead_air_s=4)
    assert (begun.kind, begun.value, begun.start_s, begun.end_s) == ("dead_air", "begun", 0, 4)


def test_talk_just_before_the_limit_is_no_dead_air() -> None:
    events = analyzed(silence(8), placed(8, (3.9, talk(2))), dead_air_s=4)
    assert not of_kind(events, "dead_air")


@pytest.mark.parametrize("limits", [{"dead_air_s": 0}, {"dead_air_s": -1}, {"overlap_least_s": 0}])
def test_limits_must_be_positive(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        TalkAnalyzer(8000, **limits)


def test_other_sample_rates_and_unequal_blocks_are_refused() -> None:
    with pytest.raises(ValueError, match="sample_rate_hz"):
        TalkAnalyzer(44100)
    with pytest.raises(ValueError, match="must be equal"):
        TalkAnalyzer(8000).update(np.zeros(160, np.int16), np.zeros(80, np.int16))


@settings(max_examples=25, deadline=None)
@given(
    starts_s=st.tuples(st.floats(0, 3), st.floats(0, 3)),
    lasts_s=st.tuples(st.floats(0.5, 3), st.floats(0.5, 3)),
    lengths=st.lists(st.integers(0, 900), min_size=1, max_size=4).filter(lambda some: sum(some)),
)
def test_events_agree_with_each_other_however_the_stream_is_cut(
    starts_s: tuple[float, float], lasts_s: tuple[float, float], lengths: list[int]
) -> None:
    agent, customer = (
        as_int16(placed(8, (start, talk(last)))) for start, last in zip(starts_s, lasts_s, strict=True)
    )
    whole = TalkAnalyzer(8000, dead_air_s=1).update(agent, customer)
    analyzer = TalkAnalyzer(8000, dead_air_s=1)
    pieces = [
        event
        for ours, theirs in zip(cuts(agent, lengths), cuts(customer, lengths), strict=True)
        for event in analyzer.update(ours, theirs)
    ]
    assert pieces == whole
    spurts = {
        side: [e for e in of_kind(whole, "talk_spurt") if e.value == side] for side in ("agent", "customer")
    }
    for overlap in of_kind(whole, "overlap"):
        for side in spurts.values():
            assert any(s.start_s <= overlap.start_s < overlap.end_s <= s.end_s for s in side)
    for dead in of_kind(whole, "dead_air"):
        for spurt in spurts["agent"] + spurts["customer"]:
            assert spurt.end_s <= dead.start_s or spurt.start_s >= dead.end_s
    analyzer.reset()
    assert analyzer.update(agent, customer) == whole

import pytest

from tests.core.script import CN_PERIOD_S, Script, answered, ended, ringing, spoken
from thirdring.protocol.events import (
    CallAnswered,
    CallEnded,
    CallOutgoing,
    NormNoted,
    Prompt,
    RingBurst,
    RingOverflow,
)
from thirdring_device.core.commands import RefuseCall, SetRinger
from thirdring_device.core.desk import DeskSettings
from thirdring_device.core.norms.settings import AnswerSettings


def bursts(script: Script) -> list[tuple[int, str, float]]:
    return [(e.ring, e.urgency, e.at_s) for e in script.derived if isinstance(e, RingBurst)]


@pytest.mark.parametrize(
    ("answer_after_s", "rings", "verdict"),
    [
        (0.0, 1, "met"),
        (4.999, 1, "met"),
        (5.0, 2, "met"),
        (10.0, 3, "met"),
        (14.999, 3, "met"),
        (15.0, 4, "breached"),
        (61.0, 13, "breached"),
    ],
)
def test_rings_are_counted_by_the_callers_cadence(answer_after_s: float, rings: int, verdict: str) -> None:
    script = Script()
    script.feed(*ringing(10.0), *answered(10.0 + answer_after_s), *ended(100.0))
    judged = script.verdict("answer.rings")
    assert (judged.verdict, judged.value) == (verdict, rings)
    assert judged.measures == {"rings_heard": rings, "wait_s": answer_after_s}
    assert judged.threshold == 3
    assert judged.evidence == (2, 4)


def test_ring_ladder_warns_at_two_urges_at_three_breaches_at_four() -> None:
    script = Script()
    script.feed(*ringing(10.0))
    script.wake(26.0)
    assert bursts(script) == [
        (1, "normal", 10.0),
        (2, "warn", 15.0),
        (3, "urgent", 20.0),
        (4, "breach", 25.0),
    ]
    assert [c.urgency for c in script.commands if isinstance(c, SetRinger)] == [
        "normal",
        "warn",
        "urgent",
        "breach",
    ]
    noted = [(e.state, e.value, e.at_s) for e in script.derived if isinstance(e, NormNoted)]
    assert noted == [("warned", 2.0, 15.0), ("breached", 4.0, 25.0)]
    assert [e.key for e in script.derived if isinstance(e, Prompt)] == ["opener", "opener_late"]


def test_late_timers_ring_at_their_own_time() -> None:
    script = Script()
    script.feed(*ringing(10.0), *answered(20.5))
    assert [at_s for _, _, at_s in bursts(script)] == [10.0, 15.0, 20.0]
    assert script.commands[-1] == SetRinger(None)


def test_nothing_rings_after_the_answer() -> None:
    script = Script()
    script.feed(*ringing(10.0), *answered(11.0))
    script.wake(60.0)
    assert len(bursts(script)) == 1


@pytest.mark.parametrize(("wait_s", "verdict"), [(7.3, "not_applicable"), (16.0, "breached")])
def test_abandoned_call_reports_its_wait(wait_s: float, verdict: str) -> None:
    script = Script()
    script.feed(*ringing(10.0), CallEnded(at_s=10.0 + wait_s, call_id="a", by="customer", cause="cancelled"))
    judged = script.verdict("answer.rings")
    assert judged.verdict == verdict
    assert judged.measures["wait_s"] == wait_s
    assert script.verdict("answer.greeting").verdict == "not_applicable"


def test_overflow_refuses_the_call_so_that_the_trunk_hunts_on() -> None:
    settings = AnswerSettings(overflow_action="reject", overflow_ring=5)
    script = Script(DeskSettings(CN_PERIOD_S, answer=settings))
    script.feed(*ringing(0.0))
    script.wake(21.0)
    assert [e.ring for e in script.derived if isinstance(e, RingOverflow)] == [5]
    assert RefuseCall("a", 480, by="appliance", cause="overflow") in script.commands
    assert script.commands.index(SetRinger(None)) > script.commands.index(SetRinger("breach"))
    script.wake(60.0)
    assert len(bursts(script)) == 5


@pytest.mark.parametrize(
    ("onset_s", "verdict", "latency_s"), [(0.5, "met", 0.52), (1.98, "met", 2.0), (2.1, "breached", 2.12)]
)
def test_greeting_is_timed_from_the_answer(onset_s: float, verdict: str, latency_s: float) -> None:
    script = Script()
    script.feed(*ringing(10.0), *answered(12.0), spoken(12.02, onset_s), *ended(30.0))
    judged = script.verdict("answer.greeting")
    assert judged.verdict == verdict
    assert judged.value == pytest.approx(latency_s)


def test_customers_voice_is_no_greeting() -> None:
    script = Script()
    script.feed(*ringing(10.0), *answered(12.0), spoken(12.02, 0.5, side="customer"), *ended(30.0))
    judged = script.verdict("answer.greeting")
    assert (judged.verdict, judged.reason) == ("breached", "the agent did not speak")
    assert judged.measures == {"silent_s": 18.0}


def test_silent_agent_is_prompted_once_the_limit_has_passed() -> None:
    script = Script()
    script.feed(*ringing(10.0), *answered(12.0))
    script.wake(14.3)
    assert not any(isinstance(e, Prompt) and e.key == "greet_now" for e in script.derived)
    script.wake(14.5)
    assert [e.key for e in script.derived if isinstance(e, Prompt)] == ["opener", "greet_now"]


def test_call_that_ends_at_once_is_not_judged_for_its_greeting() -> None:
    script = Script()
    script.feed(*ringing(10.0), *answered(12.0), *ended(13.0))
    assert script.verdict("answer.greeting").verdict == "not_applicable"


def test_agent_who_calls_out_is_not_told_to_greet() -> None:
    script = Script()
    script.feed(CallOutgoing(at_s=10.0, call_id="a", number="10086"), CallAnswered(at_s=12.0, call_id="a"))
    script.wake(20.0)
    script.feed(*ended(30.0))
    assert script.noted("answer.greeting") == []
    assert script.prompts("answer.greeting") == []
    assert script.verdict("answer.greeting").verdict == "not_applicable"

"""The agent's states, the table and what they do to calls."""

import pytest

from tests.core.script import CN_PERIOD_S, Script, answered, ended, ringing
from thirdring.protocol.events import (
    AgentStateChanged,
    AgentStateRequested,
    CallEnded,
    CallIncoming,
    CallOutgoing,
    EngineStarted,
)
from thirdring_device.core.agent_settings import AgentSettings
from thirdring_device.core.commands import DeviceCommand, RedirectCall, RefuseCall, RingCaller
from thirdring_device.core.judged import DeskSettings


def desk(**settings: object) -> Script:
    script = Script(DeskSettings(CN_PERIOD_S, agent=AgentSettings(**settings)))  # type: ignore[arg-type]
    script.feed(EngineStarted(at_s=0.5, version="0", board="b", sip_stack="s"))
    return script


def states(script: Script) -> list[tuple[float, str]]:
    found = [event for event in script.derived if isinstance(event, AgentStateChanged)]
    return [(round(event.at_s, 2), event.state) for event in found]


def wants(state: str, at_s: float, agent: str = "") -> AgentStateRequested:
    return AgentStateRequested(at_s=at_s, state=state, agent=agent)  # type: ignore[arg-type]


def test_a_call_makes_talking_and_leaves_a_wrap_up() -> None:
    script = desk(wrap_up_s=20.0)
    script.feed(*ringing(10.0), *answered(12.0), *ended(60.0))
    script.wake(100.0)
    assert states(script) == [(0.5, "ready"), (12.0, "talking"), (60.0, "wrap_up"), (80.0, "ready")]
    changed = [event for event in script.derived if isinstance(event, AgentStateChanged)]
    assert [event.about for event in changed] == ["", "a", "a", ""]


def test_a_call_that_rings_in_the_wrap_up_ends_it() -> None:
    script = desk(wrap_up_s=20.0)
    script.feed(*ringing(10.0), *answered(12.0), *ended(60.0))
    script.feed(*ringing(65.0, "b"), *answered(70.0, "b"), *ended(90.0, call_id="b"))
    script.wake(200.0)
    expected = [(60.0, "wrap_up"), (70.0, "talking"), (90.0, "wrap_up"), (110.0, "ready")]
    assert states(script)[2:] == expected


def test_with_a_second_call_the_agent_goes_on_talking() -> None:
    script = desk(wrap_up_s=0.0)
    script.feed(*ringing(10.0), *answered(12.0), *ringing(20.0, "b"), *answered(22.0, "b"))
    script.feed(*ended(40.0, call_id="a"))
    assert states(script)[-1] == (12.0, "talking")
    script.feed(*ended(50.0, call_id="b"))
    assert states(script)[-1] == (50.0, "ready")


def test_a_break_asked_for_while_talking_begins_after_the_wrap_up() -> None:
    script = desk(wrap_up_s=20.0)
    script.feed(*ringing(10.0), *answered(12.0), wants("break", 30.0), *ended(60.0))
    assert states(script)[-1] == (60.0, "wrap_up")
    script.wake(80.0)
    assert states(script)[-1] == (80.0, "break")


def test_asking_for_a_state_ends_the_wrap_up() -> None:
    script = desk(wrap_up_s=20.0)
    script.feed(*ringing(10.0), *answered(12.0), *ended(60.0), wants("ready", 63.0))
    script.wake(200.0)
    assert states(script)[-2:] == [(60.0, "wrap_up"), (63.0, "ready")]


def test_a_call_of_ours_that_nobody_answers_needs_no_wrap_up() -> None:
    script = desk(wrap_up_s=20.0)
    script.feed(wants("break", 5.0), CallOutgoing(at_s=10.0, call_id="a", number="10086"))
    script.feed(CallEnded(at_s=20.0, call_id="a", by="network", cause="no_answer"))
    assert states(script)[1:] == [(5.0, "break"), (10.0, "talking"), (20.0, "break")]


def test_signing_in_is_told_even_when_the_state_stays() -> None:
    script = desk()
    script.feed(wants("ready", 5.0, "Li Lei"), wants("ready", 6.0, "Li Lei"))
    told = [event for event in script.derived if isinstance(event, AgentStateChanged)]
    assert [(event.at_s, event.agent) for event in told] == [(0.5, ""), (5.0, "Li Lei")]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, RefuseCall("a", 480, by="appliance", cause="do_not_disturb")),
        ({"absent_calls": "forward", "absent_target": "1002"}, RedirectCall("a", "1002", by="appliance")),
        ({"absent_calls": "forward"}, RefuseCall("a", 480, by="appliance", cause="do_not_disturb")),
        ({"absent_calls": "ring"}, RingCaller("a")),
    ],
)
@pytest.mark.parametrize("state", ["break", "away"])
def test_who_is_absent_gets_no_calls(state: str, settings: dict[str, str], expected: DeviceCommand) -> None:
    script = desk(**settings)
    script.feed(wants(state, 5.0))
    assert script.feed(CallIncoming(at_s=10.0, call_id="a", number="1")) == [expected]


def test_a_replayed_call_knows_no_agent() -> None:
    script = Script()
    script.feed(*ringing(10.0), *answered(12.0), *ended(60.0))
    script.wake(1000.0)
    assert states(script) == []

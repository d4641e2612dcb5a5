"""What becomes of an incoming call by the settings, and what the desk does of its own accord."""

from dataclasses import replace
from typing import Any

import pytest

from tests.core.script import CN_PERIOD_S, Script, answered, ended, ringing
from thirdring.protocol.commands import Dial, Forward, Redial
from thirdring.protocol.errors import CallError
from thirdring.protocol.events import (
    CallAlerting,
    CallAnswered,
    CallEnded,
    CallIncoming,
    CallOutgoing,
    RingOverflow,
    ToneHeard,
)
from thirdring_device.core.calls_settings import CallsSettings
from thirdring_device.core.commands import (
    AnswerCall,
    PlaceCall,
    RedirectCall,
    RefuseCall,
    RingCaller,
    SetRinger,
    TransferCall,
)
from thirdring_device.core.desk import DeskSettings
from thirdring_device.core.norms.settings import AnswerSettings


def desk(**values: Any) -> Script:
    return Script(DeskSettings(CN_PERIOD_S, calls=CallsSettings(**values)))


def incoming(call_id: str = "a", at_s: float = 10.0, after_s: float | None = None) -> CallIncoming:
    return CallIncoming(at_s=at_s, call_id=call_id, number="1", answer_after_s=after_s)


@pytest.mark.parametrize(
    ("values", "command"),
    [
        ({"do_not_disturb": True}, RefuseCall("a", 480, by="appliance", cause="do_not_disturb")),
        (
            {"do_not_disturb": True, "do_not_disturb_answer": "busy"},
            RefuseCall("a", 486, by="appliance", cause="do_not_disturb"),
        ),
        ({"forward_to": "10086"}, RedirectCall("a", "10086", by="appliance")),
        ({"forward_busy_to": "10086"}, RingCaller("a")),
    ],
)
def test_call_that_comes_in_is_treated_as_set(values: dict[str, Any], command: object) -> None:
    assert desk(**values).feed(incoming()) == [command]


def test_busy_desk_sends_calls_on() -> None:
    script = desk(waiting=False, forward_busy_to="10086")
    script.feed(*ringing(), *answered(12.0))
    assert script.feed(incoming("b", 20.0)) == [RedirectCall("b", "10086", by="appliance")]


def test_agent_sends_the_ringing_call_on() -> None:
    script = desk()
    script.feed(*ringing())
    request = script.desk.admit(Forward(target="10086"), 11.0, "")
    assert RedirectCall("a", "10086", by="agent") in script.feed(request)
    script.feed(CallEnded(at_s=11.1, call_id="a", by="agent", cause="forwarded", sip_code=302))
    assert script.desk.calls == ()
    with pytest.raises(CallError) as caught:
        script.desk.admit(Forward(target="10086"), 12.0, "")
    assert caught.value.code == 2001


@pytest.mark.parametrize(
    ("number", "command"),
    [
        ("10086", RedirectCall("a", "10086", by="appliance", cause="overflow")),
        ("", RefuseCall("a", 480, by="appliance", cause="overflow")),
    ],
)
def test_overflow_forwards_to_its_target(number: str, command: object) -> None:
    settings = AnswerSettings(overflow_action="forward", overflow_target=number, overflow_ring=2)
    script = Script(DeskSettings(CN_PERIOD_S, answer=settings))
    script.feed(*ringing())
    script.wake(15.01)
    assert script.commands[-1] == command
    (overflow,) = (e for e in script.derived if isinstance(e, RingOverflow))
    assert (overflow.action, overflow.target) == ("forward" if number else "reject", number)


def test_call_that_asks_for_it_is_answered_by_itself_and_so_in_replay() -> None:
    script = desk()
    script.feed(incoming(after_s=2.0), CallAlerting(at_s=10.1, call_id="a"))
    script.wake(12.05)
    assert AnswerCall("a") not in script.commands
    script.wake(12.11)
    assert script.commands[-2:] == [SetRinger(None), AnswerCall("a")]
    script.feed(CallAnswered(at_s=12.2, call_id="a"), *ended(20.0))
    again = desk()
    again.feed(*(record.event for record in script.records))
    assert again.derived == script.derived
    assert "auto_answered" in script.kinds()


def test_call_that_is_not_asked_for_or_waits_is_never_answered_by_itself() -> None:
    script = desk()
    script.feed(*ringing(), *answered(12.0))
    script.feed(incoming("b", 20.0, 0.0), CallAlerting(at_s=20.1, call_id="b", waiting=True))
    script.wake(40.0)
    assert "auto_answered" not in script.kinds()


def test_fax_caller_is_handed_on_once() -> None:
    cng = ToneHeard(
        at_s=14.0, call_id="a", side="customer", tone="cng", start_s=1.0, end_s=1.5, level_dbm0=-20.0
    )
    script = desk(fax_target="8000")
    script.feed(*ringing(), *answered(12.0))
    assert script.feed(cng) == [TransferCall("a", "8000", by="appliance")]
    assert script.feed(replace(cng, at_s=17.5)) == []
    without = desk()
    without.feed(*ringing(), *answered(12.0))
    assert without.feed(cng) == []


def test_redial_calls_the_last_number_again() -> None:
    script = desk()
    with pytest.raises(CallError) as caught:
        script.desk.admit(Redial(), 1.0, "x")
    assert caught.value.code == 2008
    script.feed(script.desk.admit(Dial(number="10086"), 1.0, "x"))
    script.feed(CallOutgoing(at_s=1.1, call_id="x", number="10086"))
    script.feed(CallEnded(at_s=3.0, call_id="x", by="customer", cause="busy"))
    assert script.feed(script.desk.admit(Redial(source="at"), 9.0, "y")) == [PlaceCall("y", "10086")]

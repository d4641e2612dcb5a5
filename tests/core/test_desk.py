import itertools

import pytest

from tests.core.script import CN_PERIOD_S, Script, answered, ended, ringing
from thirdring.protocol.commands import Answer, Command, Dial, Hangup, Redial, SendDtmf
from thirdring.protocol.errors import CallError
from thirdring.protocol.events import CallAnswered, CallEnded, CallIncoming, CallOutgoing
from thirdring_device.adapters.numbers import classify
from thirdring_device.core.call import TRANSITIONS, Call, ImpossibleTransition
from thirdring_device.core.calls_settings import CallsSettings
from thirdring_device.core.commands import (
    AnswerCall,
    EndCall,
    PlaceCall,
    RefuseCall,
    RingCaller,
    SendDigits,
    SetRinger,
)
from thirdring_device.core.desk import DeskSettings
from thirdring_device.core.dialplan import DialPlan, DialPlanSettings


def test_incoming_call_rings_and_is_answered_on_request() -> None:
    script = Script()
    assert script.feed(*ringing()) == [RingCaller("a"), SetRinger("normal")]
    request = script.desk.admit(Answer(source="at"), 11.0, "")
    assert script.feed(request) == [AnswerCall("a"), SetRinger(None)]
    script.feed(CallAnswered(at_s=11.1, call_id="a"), *ended(20.0))
    assert script.desk.calls == ()


NO_WAITING = DeskSettings(CN_PERIOD_S, calls=CallsSettings(waiting=False))


def test_second_call_is_refused_as_busy_and_leaves_the_first_ringing() -> None:
    script = Script(NO_WAITING)
    script.feed(*ringing())
    assert script.feed(CallIncoming(at_s=12.0, call_id="b", number="1")) == [
        RefuseCall("b", 486, by="appliance", cause="busy")
    ]
    script.feed(CallEnded(at_s=12.1, call_id="b", by="appliance", cause="busy", sip_code=486))
    assert [call.call_id for call in script.desk.calls] == ["a"]
    assert SetRinger(None) not in script.commands


def test_agent_refuses_a_ringing_call_and_ends_an_active_one() -> None:
    script = Script()
    script.feed(*ringing())
    refusal = script.feed(script.desk.admit(Hangup(), 11.0, ""))
    assert EndCall("a") in refusal
    script.feed(CallEnded(at_s=11.1, call_id="a", by="agent", cause="rejected", sip_code=603))
    script.feed(*ringing(20.0, "b"), *answered(21.0, "b"))
    assert script.feed(script.desk.admit(Hangup(), 30.0, "")) == [EndCall("b")]


def test_our_number_is_withheld_again_but_never_from_an_emergency_number() -> None:
    script = Script()
    script.desk.plan = DialPlan(DialPlanSettings(country="CN"), classify)
    request = script.desk.admit(Dial(number="13800138000", withheld=True), 1.0, "a")
    assert script.feed(request)[-1] == PlaceCall("a", "13800138000", withheld=True)
    script.feed(CallOutgoing(at_s=1.1, call_id="a", number="13800138000"))
    script.feed(CallEnded(at_s=2.0, call_id="a", by="customer", cause="busy", sip_code=486))
    again = script.desk.admit(Redial(), 3.0, "b")
    assert script.feed(again)[-1] == PlaceCall("b", "13800138000", withheld=True)
    script.feed(CallOutgoing(at_s=3.1, call_id="b", number="13800138000"))
    script.feed(CallEnded(at_s=4.0, call_id="b", by="customer", cause="busy", sip_code=486))
    police = script.desk.admit(Dial(number="110", withheld=True), 5.0, "c")
    assert script.feed(police)[-1] == PlaceCall("c", "110")


def test_outgoing_call_is_placed_with_its_number() -> None:
    script = Script()
    request = script.desk.admit(Dial(number="+8613800138000"), 1.0, "new")
    assert script.feed(request) == [PlaceCall("new", "+8613800138000")]
    script.feed(CallOutgoing(at_s=1.1, call_id="new", number="+8613800138000"))
    script.feed(CallAnswered(at_s=3.0, call_id="new"))
    assert script.feed(script.desk.admit(SendDtmf(digits="12#"), 4.0, "")) == [SendDigits("new", "12#")]
    script.feed(*ended(9.0, call_id="new"))
    assert script.verdict("answer.rings").reason == "outgoing call"


@pytest.mark.parametrize("number", ["", "+", "12a", "1 2", "sip:x@y", "1" * 41, "１２"])
def test_what_is_no_number_is_refused(number: str) -> None:
    with pytest.raises(CallError) as caught:
        Script().desk.admit(Dial(number=number), 0.0, "x")
    assert caught.value.code == 2005


def test_requests_that_do_not_fit_are_refused_with_their_codes() -> None:
    script = Script()
    for command, code in ((Answer(), 2001), (Hangup(), 2002), (SendDtmf(digits="1"), 2002)):
        with pytest.raises(CallError) as caught:
            script.desk.admit(command, 0.0, "")
        assert caught.value.code == code
    script.feed(*ringing())
    refused: list[tuple[Command, int]] = [
        (Dial(number="1"), 2003),
        (Answer(call_id="x"), 2000),
        (SendDtmf(digits="1", call_id="a"), 2004),
        (SendDtmf(digits="1x"), 2006),
    ]
    for wrong, code in refused:
        with pytest.raises(CallError) as caught:
            script.desk.admit(wrong, 0.0, "")
        assert caught.value.code == code


def test_a_pair_that_is_not_in_the_table_is_an_error() -> None:
    states = {state for state, _ in TRANSITIONS} | set(TRANSITIONS.values())
    events = {what for _, what in TRANSITIONS}
    for state, what in itertools.product(states, events):
        call = Call("a", 1)
        call.state = state
        if (state, what) in TRANSITIONS:
            call.advance(what)
            assert call.state == TRANSITIONS[state, what]
        else:
            with pytest.raises(ImpossibleTransition):
                call.advance(what)


def test_every_state_can_be_reached_and_left_except_ended() -> None:
    reached = {"new"}
    for _ in TRANSITIONS:
        reached |= {to for (state, _), to in TRANSITIONS.items() if state in reached}
    assert reached == set(TRANSITIONS.values()) | {"new"}
    assert {state for state, _ in TRANSITIONS} == reached - {"ended"}


def test_call_numbers_are_the_lowest_free_and_stable() -> None:
    script = Script()
    script.feed(*ringing(1.0, "a"), CallIncoming(at_s=2.0, call_id="b", number="2"))
    assert [(c.call_id, c.index) for c in script.desk.calls] == [("a", 1), ("b", 2)]
    script.feed(CallEnded(at_s=3.0, call_id="a", by="customer", cause="cancelled"))
    script.feed(CallIncoming(at_s=4.0, call_id="c", number="3"))
    assert [(c.call_id, c.index) for c in script.desk.calls] == [("b", 2), ("c", 1)]


def test_replaying_the_facts_gives_the_same_events() -> None:
    live = Script()
    live.feed(*ringing(1.0))
    live.wake(6.0)
    live.wake(11.01)
    live.feed(*answered(12.0))
    live.wake(14.45)
    live.feed(*ended(30.0))
    again = Script()
    again.feed(*(record.event for record in live.records))
    assert again.derived == live.derived

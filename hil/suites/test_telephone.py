"""The telephone: calls in and out, refused, given up, held and taken back, by the signalling on both ends."""

import time

import pytest

from thirdring.appliance import Appliance
from thirdring.protocol.events import CallEnded
from thirdring_hil.calls import talking
from thirdring_hil.measurements import Measure
from thirdring_hil.target import Target

RING_S = 1.0
"""ITU-T E.721 table 2 gives a local connection 3 s until it rings, on average: a third of it for the desk."""
ANSWER_S = 0.75
"""ITU-T E.721 table 2: answer signal delay of a local connection, mean."""
RELEASE_S = 0.4
"""ITU-T E.721 clause 2.4: call release delay, mean."""
NUMBER = "13800138000"


def ended_after(appliance: Appliance, before: int) -> CallEnded:
    event = appliance.wait_for("call_ended", 10.0, before).event
    assert isinstance(event, CallEnded)
    return event


@pytest.mark.needs("sip")
def test_a_call_rings_at_once_is_answered_and_hung_up_by_the_agent(
    target: Target, appliance: Appliance, measure: Measure
) -> None:
    before = appliance.state().last_event
    with target.caller("2155512345") as caller:
        caller.call()
        caller.wait_for("ringing")
        ringing_s = caller.times_s["ringing"] - caller.times_s["called"]
        measure(
            "invite_to_ringing", ringing_s, "s", 0.0, RING_S, "ITU-T E.721: 3 s all the way, a third here"
        )
        (call,) = appliance.state().calls
        assert (call.state, call.number, call.direction) == ("incoming", "2155512345", "incoming")
        asked_s = time.monotonic()
        appliance.answer()
        caller.wait_for("answered")
        answered_s = caller.times_s["answered"] - asked_s
        measure("answer_to_connected", answered_s, "s", 0.0, ANSWER_S, "ITU-T E.721: answer signal delay")
        appliance.wait_for("media_started", 10.0, before)
        asked_s = time.monotonic()
        appliance.hangup()
        caller.wait_for("released")
        released_s = caller.times_s["released"] - asked_s
        measure("hang_up_to_released", released_s, "s", 0.0, RELEASE_S, "ITU-T E.721: call release delay")
    ended = ended_after(appliance, before)
    assert (ended.by, ended.cause) == ("agent", "hangup")


@pytest.mark.needs("sip")
def test_the_customer_hangs_up(target: Target, appliance: Appliance) -> None:
    with talking(target, appliance) as talk:
        talk.caller.hang_up()
    ended = ended_after(appliance, talk.before)
    assert (ended.by, ended.cause) == ("customer", "hangup")


@pytest.mark.needs("sip")
def test_a_call_is_refused_and_another_given_up(target: Target, appliance: Appliance) -> None:
    before = appliance.state().last_event
    with target.caller() as caller:
        caller.call()
        caller.wait_for("ringing")
        appliance.hangup()
        caller.wait_for("released")
        assert caller.final_status == 603
    assert ended_after(appliance, before).cause == "rejected"
    before = appliance.state().last_event
    with target.caller() as caller:
        caller.call()
        caller.wait_for("ringing")
        caller.cancel()
        caller.wait_for("released")
        assert caller.final_status == 487
    ended = ended_after(appliance, before)
    assert (ended.by, ended.cause) == ("customer", "cancelled")


@pytest.mark.needs("sip")
def test_a_call_is_held_and_taken_back(target: Target, appliance: Appliance) -> None:
    with talking(target, appliance) as talk:
        appliance.hold()
        held = appliance.wait_for("hold_started", 10.0, talk.before)
        assert [call.state for call in appliance.state().calls] == ["held"]
        appliance.resume()
        appliance.wait_for("hold_ended", 10.0, held.number)
        assert [call.state for call in appliance.state().calls] == ["active"]
        directions = talk.caller.directions
    assert directions[0] in ("sendonly", "inactive")
    assert directions[-1] == "sendrecv"


@pytest.mark.needs("sip")
def test_a_second_call_waits(target: Target, appliance: Appliance) -> None:
    with talking(target, appliance) as talk:
        with target.caller("2155567890") as second:
            second.call()
            second.wait_for("ringing")
            waiting = [call for call in appliance.state().calls if call.waiting]
            assert [call.number for call in waiting] == ["2155567890"]
            second.cancel()
            second.wait_for("released")
        assert not talk.caller.reached("released")


@pytest.mark.needs("trunk")
def test_a_call_out_is_answered_and_the_other_side_hangs_up(target: Target, appliance: Appliance) -> None:
    before = appliance.state().last_event
    with target.callee() as callee:
        call_id = appliance.dial(NUMBER, reason="bench")
        callee.wait_for("ringing")
        appliance.wait_for("call_alerting", 10.0, before)
        callee.answer()
        appliance.wait_for("call_answered", 10.0, before)
        assert callee.called_number.endswith(NUMBER)
        callee.hang_up()
    ended = ended_after(appliance, before)
    assert (ended.call_id, ended.by, ended.cause) == (call_id, "customer", "hangup")


@pytest.mark.needs("trunk")
def test_a_call_out_meets_a_busy_line(target: Target, appliance: Appliance) -> None:
    before = appliance.state().last_event
    with target.callee() as callee:
        appliance.dial(NUMBER, reason="bench")
        callee.wait_for("ringing")
        callee.refuse("486 Busy Here")
        callee.wait_for("released")
    assert ended_after(appliance, before).cause == "busy"

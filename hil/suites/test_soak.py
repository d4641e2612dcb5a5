"""Calls in a row, as many as ``--soak-calls`` says: each is rung, answered and hung up by one side."""

import statistics

import pytest

from thirdring.appliance import Appliance
from thirdring.protocol.events import CallEnded
from thirdring_hil.measurements import Measure
from thirdring_hil.target import Target

RINGING_S = 5.0
"""Generous on purpose: the telephone suite judges a single call, this one whether anything wears out."""


@pytest.mark.needs("sip")
def test_calls_in_a_row(
    target: Target, appliance: Appliance, measure: Measure, pytestconfig: pytest.Config
) -> None:
    wanted = int(pytestconfig.getoption("--soak-calls"))
    whole = 0
    waits_s = []
    for number in range(wanted):
        before = appliance.state().last_event
        with target.caller(f"21555{number:05d}") as caller:
            caller.call()
            caller.wait_for("ringing")
            waits_s.append(caller.times_s["ringing"] - caller.times_s["called"])
            appliance.wait_for("ring_burst", 10.0, before)
            call_id = appliance.answer()
            caller.wait_for("answered")
            appliance.wait_for("media_started", 10.0, before)
            by = "customer" if number % 2 else "agent"
            if by == "customer":
                caller.hang_up()
            else:
                appliance.hangup()
            caller.wait_for("released")
            ended = appliance.wait_for("call_ended", 10.0, before).event
        assert isinstance(ended, CallEnded)
        whole += (ended.call_id, ended.by, ended.cause) == (call_id, by, "hangup")
    measure("calls_without_a_fault", whole, "calls", wanted, wanted, "every one")
    why = "nothing wears out; the telephone suite judges a single call"
    measure("invite_to_ringing_median", statistics.median(waits_s), "s", 0.0, RINGING_S, why)
    assert appliance.state().calls == ()
    assert appliance.state().storage == "ok"

"""``outbound.hours`` and ``outbound.prepared``: when and why people are called."""

from dataclasses import replace
from typing import Any

import pytest

from tests.core.script import CN_PERIOD_S, Script, ended, ringing
from thirdring.protocol.commands import Dial
from thirdring.protocol.errors import CallError
from thirdring.protocol.events import AgentRequested, CallAnswered, CallOutgoing
from thirdring_device.core.judged import DeskSettings
from thirdring_device.core.norms.outbound import windows
from thirdring_device.core.norms.settings import OutboundSettings

MONDAY = "2026-05-04T10:30:00+08:00"


def called(settings: OutboundSettings | None = None, **about: Any) -> Script:
    script = Script(DeskSettings(CN_PERIOD_S, outbound=settings or OutboundSettings()))
    script.feed(
        AgentRequested(at_s=1.0, call_id="a", action="dial", argument="10086", **about),
        CallOutgoing(at_s=1.1, call_id="a", number="10086"),
        CallAnswered(at_s=5.0, call_id="a"),
        *ended(30.0),
    )
    return script


@pytest.mark.parametrize(
    ("local_time", "verdict"),
    [
        (MONDAY, "met"),
        ("2026-05-04T08:59:59+08:00", "breached"),
        ("2026-05-04T09:00:00+08:00", "met"),
        ("2026-05-04T12:00:00+08:00", "breached"),
        ("2026-05-04T13:30:00+08:00", "met"),
        ("2026-05-04T23:30:00+08:00", "breached"),
        ("2026-05-09T09:30:00+08:00", "breached"),
        ("2026-05-09T10:30:00+08:00", "met"),
        ("", "not_applicable"),
    ],
)
def test_hours_are_those_of_the_other_side(local_time: str, verdict: str) -> None:
    script = called(local_time=local_time)
    judged = script.verdict("outbound.hours")
    assert judged.verdict == verdict
    assert script.prompts("outbound.hours") == (["bad_hour"] if verdict == "breached" else [])
    if verdict == "breached":
        assert judged.reason == f"{local_time[11:16]} there"
        assert judged.evidence == (1,)


def test_a_public_holiday_is_no_day_to_call_unless_set() -> None:
    about: dict[str, Any] = {"local_time": MONDAY, "holiday": "Labour Day"}
    judged = called(**about).verdict("outbound.hours")
    assert (judged.verdict, judged.reason) == ("breached", "public holiday: Labour Day")
    assert called(OutboundSettings(holidays=True), **about).verdict("outbound.hours").verdict == "met"


def test_a_reason_makes_it_a_warning() -> None:
    script = called(local_time="2026-05-04T23:30:00+08:00", reason="asked for")
    assert script.verdict("outbound.hours").verdict == "warned"
    assert script.prompts("outbound.hours") == []


@pytest.mark.parametrize(
    ("about", "verdict"), [({}, "breached"), ({"reason": "a bill"}, "met"), ({"known": True}, "met")]
)
def test_a_call_has_a_contact_or_a_reason(about: dict[str, Any], verdict: str) -> None:
    script = called(local_time=MONDAY, **about)
    assert script.verdict("outbound.prepared").verdict == verdict
    assert script.prompts("outbound.prepared") == (["prepare_call"] if verdict == "breached" else [])


def test_incoming_calls_are_not_judged() -> None:
    script = Script()
    script.feed(*ringing(1.0), *ended(5.0, cause="cancelled"))
    for rule in ("outbound.hours", "outbound.prepared"):
        assert script.verdict(rule).reason == "incoming call"


def test_the_desk_asks_before_dialling_when_set() -> None:
    script = Script(DeskSettings(CN_PERIOD_S, outbound=OutboundSettings(ask_hours=True, ask_prepared=True)))
    desk = script.desk

    def dials(local_time: str, reason: str = "", *, known: bool = False) -> int:
        desk.prepare = lambda request: replace(request, local_time=local_time, known=known)
        try:
            desk.admit(Dial(number="10086", reason=reason), 1.0, "a")
        except CallError as refused:
            return refused.code
        return 0

    assert dials("2026-05-04T23:30:00+08:00") == 2013
    assert dials("2026-05-04T23:30:00+08:00", "asked for") == 0
    assert dials(MONDAY) == 2014
    assert dials(MONDAY, known=True) == 0
    assert dials("") == 0


@pytest.mark.parametrize("text", ["9-12", "12:00-09:00", "09:00-25:00", "", "09:00-09:00"])
def test_windows_that_make_no_sense(text: str) -> None:
    with pytest.raises(ValueError, match=":"):
        windows((text,))


def test_a_window_may_last_to_midnight() -> None:
    assert (
        called(OutboundSettings(weekday_hours=("00:00-24:00",)), local_time="2026-05-04T23:59:59+08:00")
        .verdict("outbound.hours")
        .verdict
        == "met"
    )

"""The headset's buttons through the whole appliance: simulated headset, engine, SIP, a real caller."""

from pathlib import Path

import pytest

from tests.integration.conftest import Unit
from tests.peers import BaresipPeer, wait_until
from thirdring import (
    AgentRequested,
    Appliance,
    CallEnded,
    Event,
    HeadsetButton,
    HoldEnded,
    HoldStarted,
    Record,
    RequestError,
    RingBurst,
)

pytestmark = pytest.mark.sip


def rings(record: Record) -> bool:
    return isinstance(record.event, RingBurst) and record.event.ring == 1


def lit(desk: Appliance, *names: str) -> None:
    wait_until(lambda: set(desk.headset().leds) == set(names), f"the lamps are {names}", 10.0)


@pytest.mark.interop("answered, muted, held and ended by the headset's buttons", peer="baresip")
def test_call_is_answered_muted_held_and_ended_by_the_headset(unit: Unit, tmp_path: Path, tone: Path) -> None:
    desk = unit.desk
    assert desk.headset().device == "simulated Jabra Link 380"
    lit(desk)
    after = desk.state().last_event
    with BaresipPeer(tmp_path, speaks=tone) as caller:
        caller.dial(f"sip:desk@{unit.target}")
        desk.wait_for(rings, 10.0, after=after)
        lit(desk, "ring", "ringer")
        desk.press("hook")
        desk.wait_for("media_started", 10.0, after=after)
        lit(desk, "off_hook", "on_line", "speaker")
        desk.press("mute")
        desk.wait_for("mute_started", 10.0, after=after)
        lit(desk, "off_hook", "on_line", "speaker", "mute", "microphone")
        desk.unmute()
        desk.wait_for("mute_ended", 10.0, after=after)
        lit(desk, "off_hook", "on_line", "speaker")
        desk.press("flash")
        desk.wait_for(HoldStarted, 10.0, after=after)
        lit(desk, "off_hook", "on_line", "hold")
        assert list(states(desk).values()) == ["held"]
        desk.press("flash")
        desk.wait_for(HoldEnded, 10.0, after=after)
        talk(desk)
        desk.press("hook")
        caller.wait_for("CALL_CLOSED")
        unit.free()
        lit(desk)
    events = events_after(desk, after)
    pressed = [(e.button, e.asked, e.code) for e in events if isinstance(e, HeadsetButton)]
    assert pressed == [
        ("hook", "answer", 0),
        ("mute", "mute", 0),
        ("flash", "hold", 0),
        ("flash", "resume", 0),
        ("hook", "hangup", 0),
    ]
    (ended,) = [e for e in events if isinstance(e, CallEnded)]
    assert ended.by == "agent"
    assert requests(desk, ended.call_id) == [
        ("answer", "headset"),
        ("mute", "headset"),
        ("unmute", "http"),
        ("hold", "headset"),
        ("resume", "headset"),
        ("hangup", "headset"),
    ]


@pytest.mark.interop("second call taken and swapped by the headset's flash", peer="baresip")
def test_waiting_call_is_taken_and_swapped_by_flash(unit: Unit, tmp_path: Path, tone: Path) -> None:
    desk = unit.desk
    after = desk.state().last_event
    with BaresipPeer(tmp_path, speaks=tone) as first:
        first.dial(f"sip:desk@{unit.target}")
        desk.wait_for(rings, 10.0, after=after)
        desk.press("hook")
        a = desk.wait_for("call_answered", 10.0, after=after).event.call_id
        mark = desk.wait_for("media_started", 10.0, after=after).number
        with BaresipPeer(tmp_path, speaks=tone, user="second") as second:
            second.dial(f"sip:desk@{unit.target}")
            b = desk.wait_for(rings, 10.0, after=mark).event.call_id
            lit(desk, "off_hook", "on_line", "speaker", "ring")
            desk.press("flash")
            wait_until(lambda: states(desk) == {a: "held", b: "active"}, "the second is taken", 10.0)
            lit(desk, "off_hook", "on_line", "speaker", "hold")
            wait_until(
                lambda: any(has_media(r, b) for r in desk.call_events(b)), "the second has sound", 10.0
            )
            desk.press("flash")
            wait_until(lambda: states(desk) == {a: "active", b: "held"}, "they are swapped", 10.0)
            talk(desk)
            desk.press("hook")
            first.wait_for("CALL_CLOSED")
            wait_until(lambda: states(desk) == {b: "held"}, "the held one stays", 10.0)
            lit(desk, "off_hook", "on_line", "hold")
            desk.hangup(b)
            second.wait_for("CALL_CLOSED")
    unit.free()
    lit(desk)


def test_no_such_button_is_refused_by_number(unit: Unit) -> None:
    with pytest.raises(RequestError) as refused:
        unit.desk.press("eject")
    assert refused.value.code == 1004


def talk(desk: Appliance) -> None:
    """Let more than half a second of sound pass: a switch that goes back sooner is taken for a button."""
    mark = desk.state().last_event
    for _ in range(3):
        mark = desk.wait_for("levels", 10.0, after=mark).number


def states(desk: Appliance) -> dict[str, str]:
    return {call.call_id: call.state for call in desk.state().calls}


def has_media(record: Record, call_id: str) -> bool:
    return record.event.kind == "media_started" and record.event.call_id == call_id


def requests(desk: Appliance, call_id: str) -> list[tuple[str, str]]:
    found = (record.event for record in desk.call_events(call_id))
    return [(event.action, event.source) for event in found if isinstance(event, AgentRequested)]


def events_after(desk: Appliance, after: int) -> list[Event]:
    last = desk.state().last_event
    found = []
    for record in desk.events(after):
        found.append(record.event)
        if record.number >= last:
            break
    return found

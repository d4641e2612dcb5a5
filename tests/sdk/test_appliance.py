"""Everything an ``Appliance`` can do, over HTTP and over serial, with real calls from real peers."""

import ast
import asyncio
import contextlib
import inspect
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.conftest import Unit
from tests.peers import BaresipPeer, SippPeer, wait_until
from tests.receiver import Receiver
from tests.sdk.ways import Way
from thirdring import (
    AgentRequested,
    Appliance,
    ApplianceError,
    AsyncAppliance,
    CallError,
    ConferenceStarted,
    ConnectionLost,
    HoldEnded,
    Record,
    RequestError,
    RingBurst,
    Verdict,
    WaitTimeout,
)

pytestmark = pytest.mark.sip

NUMBER = "13800138000"
TARGET = "02155501"


def first_ring(*besides: str) -> Callable[[Record], bool]:
    """The first ring of a call that is none of ``besides``."""

    def test(record: Record) -> bool:
        event = record.event
        return isinstance(event, RingBurst) and event.ring == 1 and event.call_id not in besides

    return test


def of_call(kind: type, call_id: str) -> Callable[[Record], bool]:
    return lambda record: isinstance(record.event, kind) and record.event.call_id == call_id


def sipp(scenario: str, unit: Unit, folder: Path, **keys: str) -> SippPeer:
    return SippPeer(scenario, folder, target=unit.target, keys={"caller": NUMBER, **keys})


def test_a_call_is_answered_used_and_looked_back_on(
    desk: Appliance, way: Way, unit: Unit, tmp_path: Path, tone: Path
) -> None:
    before = desk.state().last_event
    with BaresipPeer(tmp_path, speaks=tone, user=NUMBER) as customer:
        customer.dial(f"sip:desk@{unit.target}")
        ring = desk.wait_for(first_ring(), 20.0, after=before)
        call_id = desk.answer()
        assert call_id == ring.event.call_id
        assert [call.call_id for call in desk.state().calls] == [call_id]
        desk.wait_for("recording_started", 10.0, after=before)
        assert desk.speak(str(tone)) == pytest.approx(30.0)
        assert desk.mute() == call_id
        desk.wait_for("mute_started", 10.0, after=before)
        assert desk.unmute(call_id) == call_id
        desk.wait_for("mute_ended", 10.0, after=before)
        assert desk.pause_recording() == call_id
        desk.wait_for("recording_paused", 10.0, after=before)
        assert desk.resume_recording() == call_id
        desk.wait_for("recording_resumed", 10.0, after=before)
        desk.send_dtmf("7#", 100)
        for digit in "7#":
            customer.wait_for("CALL_DTMF_START", param=digit)
        assert desk.hold() == call_id
        desk.wait_for("hold_started", 10.0, after=before)
        assert desk.resume() == call_id
        desk.wait_for("hold_ended", 10.0, after=before)
        assert desk.speak("") == 0.0
        assert desk.hangup() == call_id
        customer.wait_for("CALL_CLOSED")
    desk.wait_for("recording_ended", 10.0, after=before)
    unit.free()

    asked = [r.event.action for r in desk.call_events(call_id) if isinstance(r.event, AgentRequested)]
    recording = ["pause_recording", "resume_recording"]
    assert asked == ["answer", "mute", "unmute", *recording, "dtmf", "hold", "resume", "hangup"]
    sources = {r.event.source for r in desk.call_events(call_id) if isinstance(r.event, AgentRequested)}
    assert sources == {way.source}
    summary = desk.calls(1)[0]
    assert (summary.call_id, summary.number, summary.ended_by) == (call_id, NUMBER, "agent")
    detail = desk.call(call_id)
    assert detail.call == summary
    assert detail.verdicts == desk.norms(call_id)
    assert {verdict.rule for verdict in detail.verdicts} >= {"answer.rings", "voice.level"}
    assert call_id in desk.report(call_id)
    assert desk.report(call_id, "json").startswith("{")
    assert "<html" in desk.report(call_id, "html")[:200]
    assert [view.file for view in desk.recordings(1)] == [f"{call_id}.wav"]
    copy = tmp_path / "copy.wav"
    if way.name == "http":
        desk.save_recording(call_id, copy)
        assert copy.read_bytes() == (unit.state_dir / "recordings" / f"{call_id}.wav").read_bytes()
    else:
        with pytest.raises(ConnectionLost, match="8003"):
            desk.save_recording(call_id, copy)
    assert all(prompt.call_id == call_id for prompt in desk.prompts(call_id, "zh"))

    desk.take_notes(call_id, name="Wang", matter="a bill", call_back="2030-01-02T10:00", read_back=True)
    (notes,) = desk.notes(call_id)
    assert (notes.name, notes.number, notes.call_back_utc) == ("Wang", NUMBER, "2030-01-02T02:00:00Z")
    assert [(view.call_id, view.number) for view in desk.call_backs()] == [(call_id, NUMBER)]
    desk.finish_call_back(call_id)
    assert desk.call_backs() == []
    assert call_id in [view.call_id for view in desk.call_backs(done=True)]
    assert desk.figures(by="all").total.offered >= 1


def test_two_calls_are_swapped_and_joined(desk: Appliance, unit: Unit, tmp_path: Path, tone: Path) -> None:
    before = desk.state().last_event
    with BaresipPeer(tmp_path, speaks=tone) as one, BaresipPeer(tmp_path, speaks=tone, user="b") as other:
        one.dial(f"sip:desk@{unit.target}")
        desk.wait_for(first_ring(), 20.0, after=before)
        first = desk.answer()
        desk.wait_for("media_started", 10.0, after=before)
        other.dial(f"sip:desk@{unit.target}")
        desk.wait_for(first_ring(first), 20.0, after=before)
        second = desk.answer()
        mark = desk.wait_for("hold_started", 10.0, after=before).number
        assert desk.swap() == first
        desk.wait_for(of_call(HoldEnded, first), 10.0, after=mark)
        assert {call.call_id: call.state for call in desk.state().calls} == {first: "active", second: "held"}
        assert desk.conference() == first
        for call_id in (first, second):
            desk.wait_for(of_call(ConferenceStarted, call_id), 10.0, after=mark)
        for call_id, peer in ((first, one), (second, other)):
            assert desk.hangup(call_id) == call_id
            peer.wait_for("CALL_CLOSED")
    unit.free()


def test_a_number_is_called_and_called_again(
    desk: Appliance, unit: Unit, tmp_path: Path, trunk_port: int
) -> None:
    calls = []
    for again in (False, True):
        with SippPeer("answer_and_hang_up", tmp_path, port=trunk_port) as peer:
            calls.append(desk.redial() if again else desk.dial("10086", "asked for"))
            peer.wait()
        unit.free()
    assert calls[0] != calls[1]
    assert {desk.call(call_id).call.number for call_id in calls} == {"10086"}


def test_a_ringing_call_is_sent_on(desk: Appliance, unit: Unit, tmp_path: Path, trunk_port: int) -> None:
    before = desk.state().last_event
    with sipp("call_sent_on", unit, tmp_path, contact=f"{TARGET}@127.0.0.1:{trunk_port}") as peer:
        call_id = desk.wait_for(first_ring(), 20.0, after=before).event.call_id
        assert desk.forward(TARGET) == call_id
        peer.wait()
    unit.free()
    assert desk.call(call_id).call.cause == "forwarded"


def test_a_customer_is_handed_on(desk: Appliance, unit: Unit, tmp_path: Path, trunk_port: int) -> None:
    before = desk.state().last_event
    with sipp("be_transferred", unit, tmp_path, target=f"{TARGET}@127.0.0.1:{trunk_port}") as peer:
        desk.wait_for(first_ring(), 20.0, after=before)
        call_id = desk.answer()
        desk.wait_for("media_started", 10.0, after=before)
        assert desk.transfer(TARGET, consent=True) == call_id
        peer.wait()
    unit.free()
    assert desk.call(call_id).call.cause == "transferred"


def test_the_headsets_buttons_are_pressed(desk: Appliance, unit: Unit, tmp_path: Path) -> None:
    assert "hook" in desk.headset().buttons
    before = desk.state().last_event
    with sipp("call_until_bye", unit, tmp_path) as peer:
        desk.wait_for(first_ring(), 20.0, after=before)
        desk.press("hook")
        desk.wait_for("media_started", 10.0, after=before)
        desk.press("hook")
        peer.wait()
    unit.free()
    with pytest.raises(RequestError, match="1004"):
        desk.press("teapot")


def test_contacts_are_kept(desk: Appliance) -> None:
    desk.save_contact("10086", "王女士", firm="海天", post="manager", remark='"x"; \\')
    (contact,) = desk.contacts("10086")
    assert (contact.name, contact.firm, contact.remark) == ("王女士", "海天", '"x"; \\')
    assert contact in desk.contacts()
    desk.remove_contact("10086")
    assert desk.contacts("10086") == []
    with pytest.raises(RequestError, match="1003"):
        desk.remove_contact("10086")


def test_the_agent_takes_a_break(desk: Appliance) -> None:
    assert desk.set_agent_state("break", "Li Lei", "lunch") == "break"
    assert (desk.state().agent, desk.state().agent_state) == ("Li Lei", "break")
    assert desk.set_agent_state("ready") == "ready"


def test_settings_are_read_and_changed(desk: Appliance) -> None:
    before = {view.name: view for view in desk.settings()}
    assert before["headset.ring_dbov"].unit == "dBov"
    assert desk.set_settings({"headset.ring_dbov": -30.0}) is False
    assert {view.name: view for view in desk.settings()}["headset.ring_dbov"].value == -30.0
    assert desk.set_settings({"sip.max_calls": 3}) is True
    desk.set_settings({name: before[name].value for name in ("headset.ring_dbov", "sip.max_calls")})


def test_staffing_and_forecast_are_computed(desk: Appliance) -> None:
    needed = desk.staffing(100, handling_time_s=180, answer_within_s=20, service_level_percent=80)
    assert needed.load_erlang == pytest.approx(5.0)
    assert needed.agents == 8
    assert len(desk.forecast().hours) == 7 * 24
    with pytest.raises(RequestError):
        desk.staffing(-1)


def test_events_come_from_a_number_then_live(desk: Appliance, unit: Unit) -> None:
    before = desk.state().last_event
    for number in ("1001", "1002"):
        unit.desk.save_contact(number, "x")
    with contextlib.closing(desk.events(before)) as records:  # type: ignore[type-var]
        assert [next(records).number for _ in range(2)] == [before + 1, before + 2]
        unit.desk.remove_contact("1001")
        assert (next(records).number, desk.state().last_event) == (before + 3, before + 3)
    with contextlib.closing(desk.events()) as records:  # type: ignore[type-var]
        unit.desk.remove_contact("1002")
        with pytest.raises(WaitTimeout):
            desk.wait_for("dtmf", 0.2, after=before)


def test_web_hooks_are_seen_and_dead_letters_sent_again(
    desk: Appliance, receiver: Receiver, unit: Unit
) -> None:
    """Nobody listens at first, and events are kept for no time at all."""
    desk.set_settings({"headset.ring_dbov": -31.0})
    number = desk.state().last_event
    wait_until(
        lambda: number in [letter.seq for letter in desk.dead_letters()], "the event is given up", 20.0
    )
    letter = next(letter for letter in desk.dead_letters(10) if letter.seq == number)
    assert (letter.url, letter.kind) == (receiver.url, "settings_changed")
    (hook,) = desk.hooks()
    assert (hook.url, hook.position >= number, hook.dead > 0) == (receiver.url, True, True)
    assert "7021" in hook.reason
    secret = (unit.state_dir / "hook-secret").read_text(encoding="ascii")
    with receiver.serving():
        assert desk.retry_dead_letters(letter.letter_id) == 1
        receiver.wait(lambda: number in receiver.numbers(secret), "the event is taken")
        wait_until(lambda: not desk.hooks()[0].waiting, "nothing waits", 20.0)
    assert number not in [letter.seq for letter in desk.dead_letters()]
    with pytest.raises(RequestError, match="1003"):
        desk.retry_dead_letters(letter.letter_id)


def test_an_appliance_is_opened_and_closed(desk: Appliance, way: Way) -> None:
    desk.open()
    desk.close()
    desk.close()
    with pytest.raises(ConnectionLost, match="8000"):
        desk.state()
    with way.appliance() as again:
        assert again.state().board == "simulator"


def test_a_refusal_is_the_same_numbered_error(desk: Appliance) -> None:
    for refused, code in (
        (desk.answer, 2001),
        (desk.hangup, 2002),
        (lambda: desk.call("none"), 2000),
        (lambda: desk.dial("12x"), 2005),
        (lambda: desk.dial("+85221234567"), 2010),
    ):
        with pytest.raises(CallError) as caught:
            refused()
        assert caught.value.code == code


def test_a_simulator_takes_no_update_and_no_stranger_wipes_it(
    desk: Appliance, way: Way, tmp_path: Path
) -> None:
    now = desk.update_state()
    assert (now.supported, now.running, now.phase) == (False, desk.state().version, "idle")
    with pytest.raises(ApplianceError, match="7030"):
        desk.update("https://updates.example/box.raucb")
    with pytest.raises(RequestError, match="1010"):
        desk.factory_reset("somebody else's")
    file = tmp_path / "support.tar.gz"
    if way.name == "http":
        desk.save_support_file(file)
        assert tarfile.is_tarfile(file)
    else:
        with pytest.raises(ConnectionLost, match="8003"):
            desk.save_support_file(file)


def test_the_async_appliance_does_several_things_at_once(way: Way, unit: Unit) -> None:
    async def main() -> None:
        async with way.async_appliance() as desk:
            before = (await desk.state()).last_event

            async def three() -> list[int]:
                async with contextlib.aclosing(desk.events(before)) as records:
                    return [(await anext(records)).number for _ in range(3)]

            streams = [asyncio.create_task(three()) for _ in range(3)]
            await asyncio.gather(*(desk.save_contact(f"200{n}", "x") for n in range(3)))
            assert await asyncio.gather(*streams) == [list(range(before + 1, before + 4))] * 3
            await asyncio.gather(*(desk.remove_contact(f"200{n}") for n in range(3)))

    asyncio.run(main())


def used_of(source: str, name: str) -> set[str]:
    """Return the attributes of ``name`` in those test functions that take it over both ways."""
    tests = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    return {
        node.attr
        for test in tests
        if test.name.startswith("test_") and name in {argument.arg for argument in test.args.args}
        for node in ast.walk(test)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
    }


def test_no_public_method_is_missing_here() -> None:
    """Each method of ``Appliance`` runs its namesake of ``AsyncAppliance`` (``test_package``)."""
    public = {name for name, _ in inspect.getmembers(Appliance, callable) if not name.startswith("_")}
    assert public == {n for n, _ in inspect.getmembers(AsyncAppliance, callable) if not n.startswith("_")}
    assert public - used_of(Path(__file__).read_text(encoding="utf-8"), "desk") == set()


def test_verdicts_are_events_of_the_call(desk: Appliance) -> None:
    """The last test: every call of this file has its verdicts, told alike by both ways."""
    for summary in desk.calls(50):
        events = [r.event for r in desk.call_events(summary.call_id) if isinstance(r.event, Verdict)]
        assert tuple(events) == desk.norms(summary.call_id)

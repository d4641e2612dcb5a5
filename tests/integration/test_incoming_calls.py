"""Incoming calls by the settings, from the INVITE to the record, with SIPp and baresip at the other end."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.integration.conftest import Unit
from tests.peers import BaresipPeer, SippPeer, free_port
from thirdring import CallError, CallIncoming, CallOutgoing, DialRefused, Record, RingBurst, ThirdringError

pytestmark = pytest.mark.sip

TARGET = "02155501"


class TrunkUnit(Unit):
    """An appliance whose trunk is at ``trunk_port``."""

    trunk_port: int


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrunkUnit]:
    port = free_port()
    running = TrunkUnit(tmp_path_factory.mktemp("unit"), extra=f'[trunk]\nserver = "127.0.0.1:{port}"\n')
    running.trunk_port = port
    running.start()
    yield running
    running.stop()


@pytest.fixture
def changed(unit: TrunkUnit) -> Iterator[dict[str, object]]:
    """Settings that a test changes; they are set back after it."""
    before = {view.name: view.value for view in unit.desk.settings()}
    changes: dict[str, object] = {}
    yield changes
    unit.free()
    unit.desk.set_settings({name: before[name] for name in changes})


def sipp(scenario: str, unit: Unit, directory: Path, **keys: str) -> SippPeer:
    return SippPeer(scenario, directory, target=unit.target, keys={"caller": "1380", **keys})


def first_ring(record: Record) -> bool:
    return isinstance(record.event, RingBurst) and record.event.ring == 1


@pytest.mark.interop("do not disturb: 480 or 486", peer="SIPp")
@pytest.mark.parametrize(("answer", "code"), [("unavailable", "480"), ("busy", "486")])
def test_do_not_disturb(
    unit: TrunkUnit, tmp_path: Path, changed: dict[str, object], answer: str, code: str
) -> None:
    changed |= {"calls.do_not_disturb": True, "calls.do_not_disturb_answer": answer}
    unit.desk.set_settings(changed)
    with sipp("call_answered_with", unit, tmp_path, code=code) as peer:
        peer.wait()
    unit.free()
    call = unit.desk.calls(1)[0]
    assert (call.cause, call.ended_by, call.rings_heard) == ("do_not_disturb", "appliance", None)


@pytest.mark.interop("forwarding by 302: always", peer="SIPp")
def test_every_call_is_sent_on(unit: TrunkUnit, tmp_path: Path, changed: dict[str, object]) -> None:
    changed["calls.forward_to"] = TARGET
    unit.desk.set_settings(changed)
    with sipp("call_sent_on", unit, tmp_path, contact=f"{TARGET}@127.0.0.1:{unit.trunk_port}") as peer:
        peer.wait()
    unit.free()
    call = unit.desk.calls(1)[0]
    assert (call.cause, call.ended_by) == ("forwarded", "appliance")


@pytest.mark.interop("forwarding by 302: within the dial plan and so many calls an hour", peer="SIPp")
def test_number_of_a_setting_passes_the_dial_plan(
    unit: TrunkUnit, tmp_path: Path, changed: dict[str, object]
) -> None:
    for number, code in [("+85221234567", 2010), ("110", 2009), ("sip:a@b", 5005)]:
        with pytest.raises(ThirdringError) as caught:
            unit.desk.set_settings({"calls.forward_to": number})
        assert caught.value.code == code
    changed |= {"calls.forward_to": TARGET, "dialplan.deny": [TARGET]}
    with pytest.raises(CallError) as refusal:
        unit.desk.set_settings(changed)
    assert refusal.value.code == 2009
    unit.desk.set_settings({"calls.forward_to": TARGET})
    unit.desk.set_settings({"dialplan.deny": [TARGET]})
    after = unit.desk.state().last_event
    with sipp("call_answered_with", unit, tmp_path, code="480") as peer:
        peer.wait()
    refused = unit.desk.wait_for("dial_refused", 5.0, after=after).event
    assert isinstance(refused, DialRefused)
    assert (refused.number, refused.code, refused.source) == (TARGET, 2009, "settings")
    unit.free()
    call = unit.desk.calls(1)[0]
    assert (call.cause, call.ended_by, call.rings_heard) == ("failed", "appliance", None)
    unit.desk.set_settings({"dialplan.deny": []})
    with sipp("call_sent_on", unit, tmp_path, contact=f"{TARGET}@127.0.0.1:{unit.trunk_port}") as peer:
        peer.wait()
    unit.free()
    changed["dialplan.calls_per_hour"] = 1
    unit.desk.set_settings({"dialplan.calls_per_hour": 1})
    after = unit.desk.state().last_event
    with sipp("call_answered_with", unit, tmp_path, code="480") as peer:
        peer.wait()
    refused = unit.desk.wait_for("dial_refused", 5.0, after=after).event
    assert isinstance(refused, DialRefused)
    assert (refused.number, refused.code) == (TARGET, 2012)


@pytest.mark.interop("forwarding by 302: by the agent", peer="SIPp")
def test_agent_sends_the_ringing_call_on(unit: TrunkUnit, tmp_path: Path) -> None:
    after = unit.desk.state().last_event
    with sipp("call_sent_on", unit, tmp_path, contact=f"{TARGET}@127.0.0.1:{unit.trunk_port}") as peer:
        unit.desk.wait_for(first_ring, 10.0, after=after)
        unit.desk.forward(TARGET)
        peer.wait()
    unit.free()
    call = unit.desk.calls(1)[0]
    assert (call.cause, call.ended_by, call.rings_heard) == ("forwarded", "agent", 1)


@pytest.mark.interop("forwarding by 302: overflow of the ring ladder", peer="SIPp")
def test_overflow_sends_the_call_on(unit: TrunkUnit, tmp_path: Path, changed: dict[str, object]) -> None:
    changed |= {
        "norms.answer.overflow_ring": 2,
        "norms.answer.overflow_action": "forward",
        "norms.answer.overflow_target": TARGET,
    }
    unit.desk.set_settings(changed)
    with sipp("call_sent_on", unit, tmp_path, contact=f"{TARGET}@127.0.0.1:{unit.trunk_port}") as peer:
        peer.wait()
    unit.free()
    call = unit.desk.calls(1)[0]
    assert (call.cause, call.ended_by, call.rings_heard) == ("overflow", "appliance", 2)


@pytest.mark.interop("auto-answer by Call-Info answer-after, only when set", peer="SIPp")
def test_call_that_asks_for_it_is_answered_by_itself(
    unit: TrunkUnit, tmp_path: Path, changed: dict[str, object]
) -> None:
    changed["calls.answer_after"] = True
    unit.desk.set_settings(changed)
    after = unit.desk.state().last_event
    with sipp("call_with_header", unit, tmp_path, header="Call-Info: <sip:x>;answer-after=1") as peer:
        unit.desk.wait_for("auto_answered", 10.0, after=after)
        unit.desk.wait_for("call_answered", 10.0, after=after)
        unit.desk.hangup()
        peer.wait()


@pytest.mark.interop("P-Asserted-Identity (RFC 3325), only from a trusted trunk", peer="SIPp")
@pytest.mark.parametrize("trusted", [True, False])
def test_asserted_identity(
    unit: TrunkUnit, tmp_path: Path, changed: dict[str, object], trusted: bool
) -> None:
    changed["calls.trust_asserted_identity"] = trusted
    unit.desk.set_settings(changed)
    after = unit.desk.state().last_event
    header = "P-Asserted-Identity: <sip:+862155509@trunk.example>"
    with sipp("call_with_header", unit, tmp_path, header=header) as peer:
        event = unit.desk.wait_for("call_incoming", 10.0, after=after).event
        unit.desk.wait_for(first_ring, 10.0, after=after)
        unit.desk.answer()
        unit.desk.wait_for("call_answered", 10.0, after=after)
        unit.desk.hangup()
        peer.wait()
    assert isinstance(event, CallIncoming)
    assert (event.number, event.asserted) == (("+862155509", True) if trusted else ("1380", False))


@pytest.mark.interop("withheld number (RFC 3323)", peer="SIPp")
def test_withheld_number_is_told(unit: TrunkUnit, tmp_path: Path) -> None:
    after = unit.desk.state().last_event
    with sipp("call_with_header", unit, tmp_path, header="Privacy: id") as peer:
        event = unit.desk.wait_for("call_incoming", 10.0, after=after).event
        unit.desk.wait_for(first_ring, 10.0, after=after)
        unit.desk.answer()
        unit.desk.wait_for("call_answered", 10.0, after=after)
        unit.desk.hangup()
        peer.wait()
    assert isinstance(event, CallIncoming)
    assert (event.number, event.display_name, event.withheld) == ("", "", True)


@pytest.mark.interop("fax caller told by CNG is transferred", peer="baresip")
def test_fax_caller_is_transferred_to_the_fax_machine(
    unit: TrunkUnit, tmp_path: Path, changed: dict[str, object]
) -> None:
    """Baresip sends CNG (1100 Hz, 0.5 s of 3.5 s; ITU-T T.30), obeys REFER and calls another baresip."""
    changed["calls.fax_target"] = TARGET
    unit.desk.set_settings(changed)
    rate_hz = 8000
    period = np.zeros(int(3.5 * rate_hz))
    period[: rate_hz // 2] = 0.2 * np.sin(2 * np.pi * 1100 * np.arange(rate_hz // 2) / rate_hz)
    cng, silence = tmp_path / "cng.wav", tmp_path / "silence.wav"
    soundfile.write(cng, np.tile(period, 8), rate_hz)
    soundfile.write(silence, np.zeros(30 * rate_hz), rate_hz)
    after = unit.desk.state().last_event
    with (
        BaresipPeer(tmp_path, speaks=silence, user=TARGET, port=unit.trunk_port) as machine,
        BaresipPeer(tmp_path, speaks=cng) as caller,
    ):
        caller.dial(f"sip:desk@{unit.target}")
        unit.desk.wait_for(first_ring, 10.0, after=after)
        call_id = unit.desk.answer()
        unit.desk.wait_for("call_ended", 20.0, after=after)
        machine.wait_for("CALL_ESTABLISHED")
    call = unit.desk.call(call_id).call
    assert (call.cause, call.ended_by) == ("transferred", "agent")
    states = [
        getattr(r.event, "state", "")
        for r in unit.desk.call_events(call_id)
        if r.event.kind == "transfer_progress"
    ]
    assert (states[0], states[-1]) == ("asked", "succeeded")


@pytest.mark.interop("dial plan: refused in words, emergency calls pass, redial, calls per hour", peer="SIPp")
def test_dial_plan_refuses_in_words_and_in_the_record_and_lets_emergency_calls_pass(
    unit: TrunkUnit, tmp_path: Path, changed: dict[str, object]
) -> None:
    after = unit.desk.state().last_event
    with pytest.raises(CallError) as caught:
        unit.desk.dial("+85221234567")
    assert caught.value.code == 2010
    refused = unit.desk.wait_for("dial_refused", 5.0, after=after).event
    assert isinstance(refused, DialRefused)
    assert (refused.number, refused.code, refused.source) == ("+85221234567", 2010, "http")
    changed |= {"dialplan.unlisted": "deny", "dialplan.send_as": "e164"}
    unit.desk.set_settings(changed)
    with pytest.raises(CallError) as caught:
        unit.desk.dial("13800138000")
    assert caught.value.code == 2009
    with SippPeer("answer_and_hang_up", tmp_path, port=unit.trunk_port) as peer:
        call_id = unit.desk.dial("110")
        peer.wait()
    unit.free()
    call = unit.desk.call(call_id).call
    assert (call.number, call.cause, call.answered_utc is not None) == ("110", "hangup", True)
    changed["dialplan.unlisted"] = "allow"
    unit.desk.set_settings(changed)
    with SippPeer("answer_and_hang_up", tmp_path, port=unit.trunk_port) as peer:
        call_id = unit.desk.dial("13800138000")
        peer.wait()
    unit.free()
    assert unit.desk.call(call_id).call.number == "+8613800138000"
    with SippPeer("answer_and_hang_up", tmp_path, port=unit.trunk_port) as peer:
        again = unit.desk.redial()
        peer.wait()
    unit.free()
    assert again != call_id
    assert unit.desk.call(again).call.number == "+8613800138000"
    changed["dialplan.calls_per_hour"] = 1
    unit.desk.set_settings(changed)
    with pytest.raises(CallError) as caught:
        unit.desk.redial()
    assert caught.value.code == 2012


@pytest.mark.interop("REFER from the other side, only when set and within the dial plan", peer="SIPp")
def test_other_side_sends_us_on_only_when_set_and_within_the_dial_plan(
    unit: TrunkUnit, tmp_path: Path, changed: dict[str, object]
) -> None:
    changed["calls.accept_refer"] = True
    unit.desk.set_settings(changed)
    after = unit.desk.state().last_event
    where = f"127.0.0.1:{unit.trunk_port}"
    with (
        SippPeer("answer_until_bye", tmp_path, port=unit.trunk_port) as target,
        sipp("call_and_refer_us", unit, tmp_path, target=f"{TARGET}@{where}") as peer,
    ):
        unit.desk.wait_for(first_ring, 10.0, after=after)
        first = unit.desk.answer()
        outgoing = unit.desk.wait_for("call_outgoing", 10.0, after=after).event
        assert isinstance(outgoing, CallOutgoing)
        assert outgoing.number == TARGET
        peer.wait()
        unit.desk.wait_for(
            lambda r: r.event.kind == "call_ended" and r.event.call_id == first, 10.0, after=after
        )
        assert [call.call_id for call in unit.desk.state().calls] == [outgoing.call_id]
        unit.desk.hangup()
        target.wait()
    unit.free()
    after = unit.desk.state().last_event
    with sipp("call_and_refer", unit, tmp_path) as peer:
        unit.desk.wait_for(first_ring, 10.0, after=after)
        unit.desk.answer()
        peer.wait()

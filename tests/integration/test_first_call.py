"""Real calls from real peers through the whole appliance."""

import threading
from pathlib import Path
from typing import Any

import pytest
from bench.appliance import resident_kb

from tests.core.script import RULES
from tests.integration.conftest import Unit
from tests.peers import SippPeer
from thirdring import CallSummary, Record
from thirdring.protocol.events import RingBurst, Verdict

pytestmark = pytest.mark.sip


PACE = ("-l", "1", "-timeout", "300s")
"""One call at a time, at most 8 a second."""


def sipp(scenario: str, unit: Unit, directory: Path, **options: Any) -> SippPeer:
    return SippPeer(
        scenario,
        directory,
        target=unit.target,
        keys={"caller": "13800138000"},
        **options,
    )


def judged(unit: Unit, call_id: str, after: int) -> dict[str, Verdict]:
    unit.desk.wait_for(
        lambda r: (
            isinstance(r.event, Verdict) and r.event.rule == "voice.level" and r.event.call_id == call_id
        ),
        timeout_s=20.0,
        after=after,
    )
    return {verdict.rule: verdict for verdict in unit.desk.norms(call_id)}


def ring(number: int, record: Record) -> bool:
    return isinstance(record.event, RingBurst) and record.event.ring == number


@pytest.mark.parametrize(("ring_number", "verdict"), [(2, "met"), (4, "breached")])
def test_rings_heard_decide_the_verdict(unit: Unit, tmp_path: Path, ring_number: int, verdict: str) -> None:
    after = unit.desk.state().last_event
    with sipp("call_and_hang_up", unit, tmp_path, hold_ms=500) as peer:
        burst = unit.desk.wait_for(lambda r: ring(ring_number, r), timeout_s=30.0, after=after)
        call_id = unit.desk.answer()
        peer.wait()
        rings = judged(unit, call_id, after)["answer.rings"]
    assert burst.event.call_id == call_id
    assert (rings.verdict, rings.measures["rings_heard"]) == (verdict, ring_number)
    assert rings.measures["wait_s"] == pytest.approx(5.0 * (ring_number - 1), abs=0.5)
    call = unit.desk.call(call_id).call
    assert (call.rings_heard, call.ended_by, call.cause) == (ring_number, "customer", "hangup")
    urgencies = [r.event.urgency for r in unit.desk.call_events(call_id) if isinstance(r.event, RingBurst)]
    assert urgencies == ["normal", "warn", "urgent", "breach"][:ring_number]


def test_caller_who_gives_up_is_abandoned_with_the_wait(unit: Unit, tmp_path: Path) -> None:
    after = unit.desk.state().last_event
    with sipp("call_and_cancel", unit, tmp_path, hold_ms=1500) as peer:
        ended = unit.desk.wait_for("call_ended", timeout_s=20.0, after=after)
        peer.wait()
    verdicts = judged(unit, ended.event.call_id, after)
    assert verdicts["answer.rings"].verdict == "not_applicable"
    assert verdicts["answer.rings"].reason == "not answered: ended after 1 rings"
    call = unit.desk.call(ended.event.call_id).call
    assert (call.cause, call.ended_by, call.answered_utc) == ("cancelled", "customer", None)
    assert call.wait_s == pytest.approx(verdicts["answer.rings"].measures["wait_s"], abs=0.02)
    assert call.wait_s is not None
    assert 0.5 < call.wait_s < 3.0


def test_second_caller_hears_busy_and_the_first_call_goes_on(unit: Unit, tmp_path: Path) -> None:
    unit.desk.set_settings({"calls.waiting": False})
    after = unit.desk.state().last_event
    with sipp("call_until_bye", unit, tmp_path) as first:
        unit.desk.wait_for(lambda r: ring(1, r), timeout_s=10.0, after=after)
        call_id = unit.desk.answer()
        unit.desk.wait_for("media_started", timeout_s=10.0, after=after)
        with SippPeer(
            "call_refused",
            tmp_path,
            target=unit.target,
            keys={"caller": "13900139000", "code": "486"},
        ) as second:
            second.wait()
        assert [c.call_id for c in unit.desk.state().calls] == [call_id]
        unit.desk.hangup()
        first.wait()
    unit.free()
    refused = next(c for c in unit.desk.calls() if c.number == "13900139000")
    assert (refused.cause, refused.ended_by) == ("busy", "appliance")
    unit.desk.set_settings({"calls.waiting": True})


def test_desk_takes_the_next_call_after_each_kind_of_end(unit: Unit, tmp_path: Path) -> None:
    summaries: list[CallSummary] = []
    for scenario in ("call_and_cancel", "bye_at_once", "call_without_sdp", "call_and_hang_up"):
        after = unit.desk.state().last_event
        with sipp(scenario, unit, tmp_path) as peer:
            incoming = unit.desk.wait_for(lambda r: ring(1, r), timeout_s=10.0, after=after)
            if scenario != "call_and_cancel":
                unit.desk.answer()
            if scenario == "call_without_sdp":
                unit.desk.wait_for("media_started", timeout_s=10.0, after=after)
                unit.desk.hangup()
            peer.wait()
            unit.desk.wait_for("call_ended", timeout_s=20.0, after=after)
        unit.free()
        summaries.append(unit.desk.call(incoming.event.call_id).call)
    assert all(call.state == "ended" for call in summaries)


def test_engine_killed_mid_call_leaves_the_call_in_the_record_and_comes_back(
    unit: Unit, tmp_path: Path
) -> None:
    after = unit.desk.state().last_event
    with sipp("call_until_bye", unit, tmp_path):
        unit.desk.wait_for(lambda r: ring(1, r), timeout_s=10.0, after=after)
        call_id = unit.desk.answer()
        unit.desk.wait_for("levels", timeout_s=10.0, after=after)
        unit.kill_engine()
        ended = unit.desk.wait_for("call_ended", timeout_s=30.0, after=after)
        unit.desk.wait_for("engine_started", timeout_s=30.0, after=after)
    assert (ended.event.call_id, getattr(ended.event, "cause", "")) == (call_id, "interrupted")
    assert [verdict.rule for verdict in unit.desk.norms(call_id)] == RULES[:-1], "call.dropped comes later"
    after = unit.desk.state().last_event
    with sipp("call_and_hang_up", unit, tmp_path) as peer:
        unit.desk.wait_for(lambda r: ring(1, r), timeout_s=10.0, after=after)
        unit.desk.answer()
        peer.wait()


def test_hundreds_of_calls_in_a_row_leak_nothing(unit: Unit, tmp_path: Path) -> None:
    """Memory follows the transactions of the last 32 s (RFC 3261), so it is level once those are in step."""
    level, last = 450, 550
    after = unit.desk.state().last_event
    resident: dict[int, int] = {}

    def answer_all() -> None:
        ended = 0
        for record in unit.desk.events(after=after):
            if ring(1, record):
                unit.desk.answer(record.event.call_id)
            if record.event.kind == "call_ended":
                ended += 1
                resident[ended] = resident_kb(unit.engine_pid()) if ended in (level, last) else 0
            if ended == last:
                return

    answering = threading.Thread(target=answer_all)
    answering.start()
    with sipp("call_and_hang_up", unit, tmp_path, calls=last, hold_ms=20, rate=8, extra=PACE) as peer:
        peer.wait(300.0)
    answering.join(30.0)
    unit.free()
    calls = unit.desk.calls(limit=500)
    assert {(call.cause, call.state) for call in calls} == {("hangup", "ended")}
    assert resident[last] - resident[level] < 2048

"""Hold, mute, waiting and swap through the whole appliance, with baresip and SIPp at the other ends."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.integration.conftest import Unit
from tests.peers import BaresipPeer, SippPeer, wait_until
from thirdring import (
    SILENCE_DBOV,
    CallAnswered,
    ConferenceEnded,
    ConferenceStarted,
    HoldEnded,
    HoldStarted,
    Levels,
    Record,
    RingBurst,
    Verdict,
)
from thirdring_device.adapters.store.reader import JournalReader
from thirdring_device.engine.replay import desk_settings, replay
from thirdring_device.recorded import analyze
from thirdring_device.settings import load_settings

pytestmark = pytest.mark.sip


def first_ring(record: Record) -> bool:
    return isinstance(record.event, RingBurst) and record.event.ring == 1


def held_by(record: Record, kind: type, call_id: str) -> bool:
    return isinstance(record.event, kind) and record.event.call_id == call_id


def states(unit: Unit) -> dict[str, str]:
    return {call.call_id: call.state for call in unit.desk.state().calls}


def outlines(verdicts: list[Verdict]) -> list[tuple[object, ...]]:
    return sorted((v.rule, v.verdict, v.value, tuple(v.measures.items())) for v in verdicts)


@pytest.mark.interop(
    "call waiting and swap; both calls judged alike live, replayed, recorded", peer="baresip"
)
def test_waiting_call_is_taken_swapped_and_both_are_judged_alike_thrice(
    unit: Unit, tmp_path: Path, tone: Path
) -> None:
    desk = unit.desk
    after = desk.state().last_event
    with BaresipPeer(tmp_path, speaks=tone) as first:
        first.dial(f"sip:desk@{unit.target}")
        desk.wait_for(first_ring, 10.0, after=after)
        a = desk.answer()
        mark = desk.wait_for("media_started", 10.0, after=after).number
        with BaresipPeer(tmp_path, speaks=tone, user="second") as second:
            second.dial(f"sip:desk@{unit.target}")
            ring = desk.wait_for(lambda r: first_ring(r) and r.event.call_id != a, 10.0, after=mark)
            assert [call.waiting for call in desk.state().calls] == [False, True]
            b = desk.answer()
            assert b == ring.event.call_id
            desk.wait_for(lambda r: held_by(r, HoldStarted, a), 10.0, after=mark)
            answered = desk.wait_for(lambda r: held_by(r, CallAnswered, b), 10.0, after=mark)
            assert states(unit) == {a: "held", b: "active"}
            assert desk.swap() == a
            desk.wait_for(lambda r: held_by(r, HoldEnded, a), 10.0, after=answered.number)
            assert states(unit) == {a: "active", b: "held"}
            desk.hangup()
            desk.wait_for(lambda r: held_by(r, Verdict, a), 10.0, after=mark)
            desk.resume()
            desk.wait_for(lambda r: held_by(r, HoldEnded, b), 10.0, after=mark)
            desk.hangup()
            second.wait_for("CALL_CLOSED")
        unit.free()
    holds = {
        call_id: [
            (r.event.kind, getattr(r.event, "by", ""))
            for r in desk.call_events(call_id)
            if isinstance(r.event, HoldStarted | HoldEnded)
        ]
        for call_id in (a, b)
    }
    assert holds == {a: holds[b], b: [("hold_started", "agent"), ("hold_ended", "agent")]}
    settings = load_settings(unit.settings, unit.state_dir)
    reader = JournalReader(unit.state_dir / "journal.sqlite3")
    for call_id in (a, b):
        records = reader.call_events(call_id)
        live = [r.event for r in records if r.event.derived]
        assert replay(records, desk_settings(settings), finish=False) == live
        recording = unit.state_dir / "recordings" / f"{call_id}.wav"
        wait_until(lambda recording=recording: comment_of(recording), "the recording is closed")  # type: ignore[misc]
        report = analyze(recording, settings)
        assert outlines(list(report.verdicts)) == outlines([e for e in live if isinstance(e, Verdict)])
    reader.close()


def comment_of(recording: Path) -> bool:
    with soundfile.SoundFile(recording) as file:
        return bool(file.comment)


@pytest.mark.interop("second call hears busy (486) when none may wait", peer="SIPp")
def test_second_call_hears_busy_when_none_may_wait(unit: Unit, tmp_path: Path) -> None:
    unit.desk.set_settings({"calls.waiting": False})
    after = unit.desk.state().last_event
    keys = {"caller": "1380", "code": "486"}
    with SippPeer("call_until_bye", tmp_path, target=unit.target, keys=keys) as first:
        unit.desk.wait_for(first_ring, 10.0, after=after)
        unit.desk.answer()
        unit.desk.wait_for("call_answered", 10.0, after=after)
        with SippPeer("call_refused", tmp_path, target=unit.target, keys=keys) as second:
            second.wait()
        unit.desk.hangup()
        first.wait()
    unit.desk.set_settings({"calls.waiting": True})
    unit.free()


def test_held_customer_hears_nothing_and_then_hears_again(unit: Unit, tmp_path: Path, tone: Path) -> None:
    """SIPp sends back what it hears: the ear tells what the customer got."""
    desk = unit.desk
    after = desk.state().last_event
    keys = {"caller": "1380"}
    with SippPeer("be_held_and_taken_back", tmp_path, target=unit.target, keys=keys, rtp_echo=True) as peer:
        desk.wait_for(first_ring, 10.0, after=after)
        call_id = desk.answer()
        desk.wait_for("media_started", 10.0, after=after)
        desk.speak(str(tone))
        mark = desk.wait_for(echo_is_heard, 10.0, after=after).number
        desk.hold()
        held = desk.wait_for("hold_started", 10.0, after=mark)
        for _ in range(4):
            mark = desk.wait_for("levels", 10.0, after=mark).number
        desk.resume()
        taken = desk.wait_for("hold_ended", 10.0, after=mark)
        desk.wait_for(echo_is_heard, 10.0, after=taken.number)
        desk.hangup()
        peer.wait()
    unit.free()
    desk.speak("")
    silent = [
        r.event
        for r in desk.call_events(call_id)
        if isinstance(r.event, Levels) and held.event.at_s + 0.8 < r.event.at_s < taken.event.at_s - 0.1
    ]
    assert silent
    assert {level for e in silent for level in (*e.customer_rms_dbov, *e.agent_after_rms_dbov)} == {
        SILENCE_DBOV
    }


def echo_is_heard(record: Record) -> bool:
    return isinstance(record.event, Levels) and record.event.customer_rms_dbov[-1] > -40


@pytest.mark.interop("three-way conference: each hears the other two", peer="SIPp, baresip")
def test_three_way_conference_lets_each_hear_the_other_two(unit: Unit, tmp_path: Path, tone: Path) -> None:
    """The first customer sends back what it hears; only the second one speaks."""
    desk = unit.desk
    after = desk.state().last_event
    with SippPeer(
        "be_held_and_taken_back", tmp_path, target=unit.target, keys={"caller": "1380"}, rtp_echo=True
    ) as first:
        desk.wait_for(first_ring, 10.0, after=after)
        a = desk.answer()
        mark = desk.wait_for("media_started", 10.0, after=after).number
        with BaresipPeer(tmp_path, speaks=tone, user="second") as second:
            second.dial(f"sip:desk@{unit.target}")
            desk.wait_for(lambda r: first_ring(r) and r.event.call_id != a, 10.0, after=mark)
            b = desk.answer()
            desk.wait_for(lambda r: held_by(r, CallAnswered, b), 10.0, after=mark)
            assert desk.conference() == b
            desk.wait_for(lambda r: held_by(r, ConferenceStarted, a), 10.0, after=mark)
            joined = desk.wait_for(lambda r: held_by(r, ConferenceStarted, b), 10.0, after=mark)
            assert [(c.state, c.conference) for c in desk.state().calls] == [("active", True)] * 2
            echoed = desk.wait_for(
                lambda r: echo_is_heard(r) and r.event.call_id == a, 10.0, after=joined.number
            ).number
            # The agent hears the echo before the second customer does, who needs time for it, too.
            for _ in range(4):
                echoed = desk.wait_for(
                    lambda r: echo_is_heard(r) and r.event.call_id == a, 10.0, echoed
                ).number
            desk.hangup(a)
            desk.wait_for(lambda r: held_by(r, ConferenceEnded, b), 10.0, after=mark)
            first.wait()
            desk.hangup(b)
            second.wait_for("CALL_CLOSED")
        unit.free()
    heard, rate_hz = soundfile.read(second.heard)
    assert len(heard) > rate_hz, "a conference of two seconds"
    assert np.abs(heard[rate_hz // 5 :]).max() > 0.02, "the second heard its own tone by way of the first"

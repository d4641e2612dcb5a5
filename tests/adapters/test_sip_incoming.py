"""Incoming calls, from SIPp."""

from pathlib import Path
from typing import Any

import pytest

from tests.adapters.desk_process import DeskProcess
from tests.peers import SippPeer

pytestmark = pytest.mark.sip


def caller(scenario: str, desk: DeskProcess, directory: Path, **keys: str) -> SippPeer:
    keys = {"caller": "13800138000", **keys}
    return SippPeer(scenario, directory, target=desk.target, keys=keys)


def test_answered_call_ends_with_the_customers_bye(desk: DeskProcess, peer_dir: Path) -> None:
    with caller("call_and_hang_up", desk, peer_dir) as sipp:
        incoming = desk.expect("call_incoming", number="13800138000", display_name="Caller 1")
        call_id = incoming["call_id"]
        desk.do("RingCaller", call_id=call_id)
        desk.expect("call_alerting", call_id=call_id)
        desk.do("AnswerCall", call_id=call_id)
        desk.expect("call_ended", call_id=call_id, by="customer", cause="hangup")
        sipp.wait()
    assert sorted(desk.kinds(call_id)) == [
        *("call_alerting", "call_answered", "call_ended", "call_incoming", "call_quality"),
        *("media", "media_finished"),
    ]
    assert desk.kinds(call_id)[-3:] == ["media_finished", "call_quality", "call_ended"]
    assert desk.all("media", call_id=call_id)[0]["codec"] == "PCMA"


def test_agent_ends_the_call_with_bye(desk: DeskProcess, peer_dir: Path) -> None:
    with caller("call_until_bye", desk, peer_dir) as sipp:
        call_id = desk.incoming(answer=True)
        desk.do("EndCall", call_id=call_id)
        desk.expect("call_ended", call_id=call_id, by="agent", cause="hangup")
        sipp.wait()


def test_caller_who_gives_up_is_told_as_cancelled(desk: DeskProcess, peer_dir: Path) -> None:
    with caller("call_and_cancel", desk, peer_dir) as sipp:
        call_id = desk.incoming(ring=True)
        desk.expect("call_ended", call_id=call_id, by="customer", cause="cancelled", sip_code=487)
        sipp.wait()
    assert "media" not in desk.kinds(call_id)


def test_cancel_that_crosses_our_200_leaves_the_call_up(desk: DeskProcess, peer_dir: Path) -> None:
    with caller("cancel_too_late", desk, peer_dir) as sipp:
        call_id = desk.incoming(answer=True)
        desk.expect("call_ended", call_id=call_id, by="customer", cause="hangup")
        sipp.wait()


def test_answer_after_the_caller_gave_up_does_nothing(desk: DeskProcess, peer_dir: Path) -> None:
    with caller("call_and_cancel", desk, peer_dir) as sipp:
        call_id = desk.incoming(ring=True)
        desk.expect("call_ended", call_id=call_id, cause="cancelled")
        desk.do("AnswerCall", call_id=call_id)
        desk.do("EndCall", call_id=call_id)
        sipp.wait()
    desk.ask("status")
    assert len(desk.all("call_ended", call_id=call_id)) == 1


def test_refused_call_gets_the_commanded_code(desk: DeskProcess, peer_dir: Path) -> None:
    with caller("call_refused", desk, peer_dir) as sipp:
        call_id = desk.incoming()
        desk.do("RefuseCall", call_id=call_id, sip_code=486, by="appliance", cause="busy")
        desk.expect("call_ended", call_id=call_id, by="appliance", cause="busy", sip_code=486)
        sipp.wait()


def test_agent_rejects_a_ringing_call(desk: DeskProcess, peer_dir: Path) -> None:
    with caller("call_refused", desk, peer_dir) as sipp:
        call_id = desk.incoming(ring=True)
        desk.do("EndCall", call_id=call_id)
        desk.expect("call_ended", call_id=call_id, by="agent", cause="rejected", sip_code=603)
        sipp.wait()


def test_invite_without_sdp_is_answered_with_an_offer(desk: DeskProcess, peer_dir: Path) -> None:
    with caller("call_without_sdp", desk, peer_dir) as sipp:
        call_id = desk.incoming(answer=True)
        desk.expect("media", call_id=call_id, codec="PCMA")
        desk.do("EndCall", call_id=call_id)
        desk.expect("call_ended", call_id=call_id, by="agent", cause="hangup")
        sipp.wait()


def test_bye_while_the_media_are_set_up_ends_the_call_once(desk: DeskProcess, peer_dir: Path) -> None:
    with caller("bye_at_once", desk, peer_dir) as sipp:
        call_id = desk.incoming(answer=True)
        desk.expect("call_ended", call_id=call_id, by="customer", cause="hangup")
        sipp.wait()
    assert desk.kinds(call_id).count("call_ended") == 1


def test_hold_and_resume_by_the_customer_keep_one_call_and_one_media(
    desk: DeskProcess, peer_dir: Path
) -> None:
    with caller("hold_and_resume", desk, peer_dir) as sipp:
        call_id = desk.incoming(answer=True)
        desk.expect("call_ended", call_id=call_id, by="customer", cause="hangup")
        sipp.wait()
    assert desk.kinds(call_id).count("media") == 1
    ticks = desk.all("media_finished", call_id=call_id)[0]["ticks"]
    assert ticks >= 50, "the sound is processed during hold, too"


@pytest.mark.interop("DTMF in by SIP INFO", peer="SIPp")
def test_info_digit_is_reported(desk: DeskProcess, peer_dir: Path) -> None:
    with caller("call_and_info", desk, peer_dir) as sipp:
        call_id = desk.incoming(answer=True)
        desk.expect("dtmf", call_id=call_id, digit="5", method="info", side="customer")
        desk.expect("call_ended", call_id=call_id)
        sipp.wait()


@pytest.mark.interop("REFER from the other side is refused", peer="SIPp")
def test_refer_is_refused(desk: DeskProcess, peer_dir: Path) -> None:
    with caller("call_and_refer", desk, peer_dir) as sipp:
        call_id = desk.incoming(answer=True)
        desk.expect("call_ended", call_id=call_id, by="customer", cause="hangup")
        sipp.wait()


def test_second_call_is_refused_while_the_first_keeps_its_sound(desk: DeskProcess, peer_dir: Path) -> None:
    with caller("call_until_bye", desk, peer_dir) as first:
        first_id = desk.incoming(answer=True)
        with caller("call_refused", desk, peer_dir) as second:
            second_id = desk.incoming()
            desk.do("RefuseCall", call_id=second_id, sip_code=486, by="appliance", cause="busy")
            desk.expect("call_ended", call_id=second_id, cause="busy")
            second.wait()
        assert not desk.all("call_ended", call_id=first_id)
        desk.do("EndCall", call_id=first_id)
        desk.expect("call_ended", call_id=first_id, by="agent", cause="hangup")
        first.wait()
    assert "media" not in desk.kinds(second_id)
    assert desk.all("media_finished", call_id=first_id)


def test_withheld_number_is_empty(desk: DeskProcess, peer_dir: Path) -> None:
    with caller("call_refused", desk, peer_dir, caller="anonymous") as sipp:
        call_id = desk.expect("call_incoming", number="")["call_id"]
        desk.do("RefuseCall", call_id=call_id, sip_code=486, by="appliance", cause="busy")
        desk.expect("call_ended", call_id=call_id)
        sipp.wait()


def test_twenty_calls_in_a_row_leave_nothing_behind(desk: DeskProcess, peer_dir: Path) -> None:
    def take(calls: int) -> dict[str, Any]:
        """Take calls, one at a time; return what is there when the last one is over."""
        with SippPeer(
            "call_and_hang_up",
            peer_dir,
            target=desk.target,
            calls=calls,
            hold_ms=20,
            keys={"caller": "100"},
            extra=("-l", "1"),
        ) as sipp:
            for _ in range(calls):
                call_id = desk.incoming(answer=True)
                desk.expect("call_ended", call_id=call_id, by="customer", cause="hangup")
            sipp.wait()
        return desk.ask("status")

    before, after = take(1), take(19)
    assert after["fds"] <= before["fds"] + 2
    assert after["calls"] <= 1, "ended calls are dropped, but for the one that has just ended"

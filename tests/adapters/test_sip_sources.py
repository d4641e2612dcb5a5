"""Who may ring, how often, and what happens when the wire goes dead."""

import socket
from pathlib import Path

import pytest

from tests.adapters.desk_process import DeskProcess
from tests.flood import flood
from tests.peers import LOOPBACK, SippPeer
from thirdring_device.settings import Settings

pytestmark = pytest.mark.sip


@pytest.mark.interop("INVITE of a stranger: 403, counted, no ring", peer="SIPp")
def test_stranger_is_refused_and_counted(tmp_path: Path) -> None:
    keys = {"caller": "100"}
    with DeskProcess(tmp_path, {"trunk.peers": ["127.0.0.9", "192.0.2.0/24"]}) as desk:
        with SippPeer("call_refused", tmp_path, target=desk.target, keys=keys) as sipp:
            desk.expect("stranger_refused", source=LOOPBACK, count=1)
            sipp.wait()
        with SippPeer("call_refused", tmp_path, target=desk.target, keys=keys, calls=5, rate=100) as sipp:
            sipp.wait()
            desk.expect("stranger_refused", count=6)
        assert not desk.all("call_incoming")
        assert len(desk.all("stranger_refused")) <= 3, "a flood must not fill the journal"


def test_source_that_calls_too_often_gets_503(tmp_path: Path) -> None:
    with (
        DeskProcess(tmp_path, {"sip.invites_per_s": 1.0}) as desk,
        SippPeer(
            "call_refused", tmp_path, target=desk.target, keys={"caller": "100"}, calls=6, rate=100
        ) as sipp,
    ):
        call_id = desk.incoming()
        desk.do("RefuseCall", call_id=call_id, sip_code=486, by="appliance", cause="busy")
        sipp.wait()
        desk.ask("status")
        assert len(desk.all("call_incoming")) == 1


@pytest.mark.interop(
    "INVITE flood from many addresses: 503 with Retry-After, the call that is up goes on",
    peer="SIPp, SIP sockets",
)
def test_flood_from_many_sources_leaves_the_call_alone(tmp_path: Path) -> None:
    limit_per_s = Settings().sip.invites_in_all_per_s
    with (
        DeskProcess(tmp_path, {"sip.invites_in_all_per_s": limit_per_s}) as desk,
        SippPeer(
            "call_until_bye", tmp_path, target=desk.target, keys={"caller": "100"}, rtp_echo=True
        ) as sipp,
    ):
        call_id = desk.incoming(answer=True)
        desk.ask("wait_ticks", call_id=call_id, ticks=25)
        answers = flood(desk.port, sources=400, each=5, rate=400.0)
        assert sum(answers.values()) == 2000, answers
        let_in = 2000 - answers["503 Retry-After"]
        assert let_in <= limit_per_s * (1 + 5 + 1), "the burst, five seconds, one more for a slow machine"
        desk.ask("wait_ticks", call_id=call_id, ticks=25 + 250)
        assert not desk.all("call_ended", call_id=call_id)
        desk.do("EndCall", call_id=call_id)
        desk.expect("call_ended", call_id=call_id, by="agent")
        sipp.wait()
    assert "too many a second (503)" in (tmp_path / "harness.log").read_text()


@pytest.mark.interop("no RTP: warned, then ended as lost", peer="SIPp")
def test_call_without_rtp_is_ended_as_lost(tmp_path: Path) -> None:
    settings = {"sip.no_rtp_warn_s": 1.0, "sip.no_rtp_end_s": 2.0}
    with (
        DeskProcess(tmp_path, settings) as desk,
        SippPeer("call_until_bye", tmp_path, target=desk.target, keys={"caller": "100"}) as sipp,
    ):
        call_id = desk.incoming(answer=True)
        answered_s = desk.all("call_answered", call_id=call_id)[0]["at_s"]
        ended = desk.expect("call_ended", call_id=call_id, by="network", cause="lost")
        assert 1.9 <= ended["at_s"] - answered_s <= 3.2
        assert "no RTP" in ended["reason"]
        sipp.wait()
    assert "no RTP for 1 s" in (tmp_path / "harness.log").read_text()


def test_call_on_hold_is_not_ended_for_want_of_rtp(tmp_path: Path) -> None:
    settings = {"sip.no_rtp_warn_s": 1.0, "sip.no_rtp_end_s": 2.0}
    with (
        DeskProcess(tmp_path, settings) as desk,
        SippPeer(
            "hold_until_bye", tmp_path, target=desk.target, keys={"caller": "100"}, hold_ms=3500
        ) as sipp,
    ):
        call_id = desk.incoming(answer=True)
        desk.expect("call_ended", call_id=call_id, by="customer", cause="hangup")
        sipp.wait()


def test_port_that_is_taken_is_error_3004(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((LOOPBACK, 0))
        desk = DeskProcess(tmp_path, {"sip.port": taken.getsockname()[1]})
        with pytest.raises(AssertionError), desk:
            pass
    assert desk.all("failed", code=3004)

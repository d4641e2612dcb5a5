"""Blind and attended transfer, with SIPp as the customer."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.desk_process import DeskProcess
from tests.peers import SippPeer, wait_until

pytestmark = pytest.mark.sip

TARGET = "02155501"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    """A desk whose trunk is there for the address of the target only."""
    settings = {"trunk.server": "127.0.0.1:9"}
    with DeskProcess(tmp_path_factory.mktemp("desk"), settings) as process:
        yield process


def caller(scenario: str, desk: DeskProcess, directory: Path) -> SippPeer:
    keys = {"caller": "1380", "target": f"{TARGET}@127.0.0.1:9"}
    return SippPeer(scenario, directory, target=desk.target, keys=keys)


@pytest.mark.interop("blind transfer by REFER, told by NOTIFY (RFC 3515)", peer="SIPp")
def test_blind_transfer_goes_on_as_the_customers_side_tells(desk: DeskProcess, peer_dir: Path) -> None:
    with caller("be_transferred", desk, peer_dir) as sipp:
        call_id = desk.incoming(answer=True)
        desk.do("TransferCall", call_id=call_id, number=TARGET)
        desk.expect("call_ended", call_id=call_id, by="agent", cause="transferred")
        sipp.wait()
    told = desk.all("transfer_progress", call_id=call_id)
    assert [(event["state"], event["sip_code"]) for event in told] == [
        ("asked", 0),
        ("accepted", 202),
        ("ringing", 180),
        ("succeeded", 200),
    ]
    assert {(event["target"], event["consulted"]) for event in told} == {(TARGET, False)}


@pytest.mark.interop("blind transfer refused or in vain: the call stays", peer="SIPp")
@pytest.mark.parametrize(
    ("scenario", "code"), [("be_transferred_in_vain", 486), ("refuse_to_be_transferred", 603)]
)
def test_transfer_that_fails_leaves_the_call_up(
    desk: DeskProcess, peer_dir: Path, scenario: str, code: int
) -> None:
    with caller(scenario, desk, peer_dir) as sipp:
        call_id = desk.incoming(answer=True)
        desk.do("TransferCall", call_id=call_id, number=TARGET)
        desk.expect("transfer_progress", call_id=call_id, state="failed", sip_code=code)
        assert not desk.all("call_ended", call_id=call_id)
        desk.do("EndCall", call_id=call_id)
        desk.expect("call_ended", call_id=call_id, by="agent", cause="hangup")
        sipp.wait()


def test_customer_who_leaves_after_accepting_was_transferred(desk: DeskProcess, peer_dir: Path) -> None:
    with caller("be_transferred_and_leave", desk, peer_dir) as sipp:
        call_id = desk.incoming(answer=True)
        desk.do("TransferCall", call_id=call_id, number=TARGET)
        desk.expect("call_ended", call_id=call_id, by="agent", cause="transferred")
        sipp.wait()


@pytest.mark.interop("attended transfer: REFER with Replaces (RFC 3891)", peer="SIPp")
def test_attended_transfer_names_the_other_call(desk: DeskProcess, peer_dir: Path) -> None:
    with caller("be_held_and_joined_to_another", desk, peer_dir) as sipp:
        first = desk.incoming(answer=True)
        desk.do("HoldCall", call_id=first)
        desk.ask("wait_answered", call_id=first)
        with caller("call_until_bye", desk, peer_dir) as other:
            second = desk.incoming(answer=True)
            desk.do("TransferCall", call_id=first, other_call_id=second)
            desk.expect("transfer_progress", call_id=first, state="succeeded")
            desk.expect("call_ended", call_id=first, cause="transferred")
            desk.expect("call_ended", call_id=second, by="agent", cause="transferred")
            other.wait()
        sipp.wait()
    told = desk.all("transfer_progress", call_id=first)
    assert {(event["consulted"], event["other_call_id"]) for event in told} == {(True, second)}


def test_transfer_without_a_trunk_fails(peer_dir: Path) -> None:
    (peer_dir / "desk").mkdir()
    with (
        DeskProcess(peer_dir / "desk") as desk,
        caller("call_until_bye", desk, peer_dir) as sipp,
    ):
        call_id = desk.incoming(answer=True)
        desk.do("TransferCall", call_id=call_id, number=TARGET)
        desk.expect("transfer_progress", call_id=call_id, state="failed", sip_code=0)
        desk.do("EndCall", call_id=call_id)
        desk.expect("call_ended", call_id=call_id)
        sipp.wait()


def dialog_of(messages: Path) -> str:
    """Return what Replaces says (RFC 3891 clause 6.1) of the call in SIPp's trace, as the desk sees it."""

    def answers() -> list[str]:
        traced = messages.read_text().split("-" * 20)
        return [m for m in traced if "SIP/2.0 200" in m and "INVITE" in m and "\n\n" in m.replace("\r", "")]

    wait_until(answers, "SIPp has written down the answer")
    answer = answers()[0]
    fields = dict(re.findall(r"^(Call-ID|From|To):\s*(.*?)\s*$", answer, re.MULTILINE))
    tags = {name: fields[name].partition(";tag=")[2] for name in ("To", "From")}
    return f"{fields['Call-ID']};to-tag={tags['To']};from-tag={tags['From']}"


@pytest.mark.interop("attended transfer to us: INVITE with Replaces (RFC 3891)", peer="SIPp")
def test_call_of_the_trunk_takes_the_place_of_another(desk: DeskProcess, peer_dir: Path) -> None:
    messages = peer_dir / "messages"
    trace = ("-trace_msg", "-message_file", str(messages))
    keys = {"caller": "1380"}
    with SippPeer("call_until_bye", peer_dir, target=desk.target, keys=keys, extra=trace) as colleague:
        first = desk.incoming(answer=True)
        replaces = f"Replaces: {dialog_of(messages)}"
        keys = {"caller": "customer", "header": replaces}
        with SippPeer("call_with_header", peer_dir, target=desk.target, keys=keys, rtp_echo=True) as customer:
            desk.expect("call_ended", call_id=first, by="customer", cause="transferred")
            incoming = desk.expect("call_incoming", replaces=first, number="customer")
            second = incoming["call_id"]
            desk.expect("call_answered", call_id=second)
            colleague.wait()
            desk.ask("wait_ticks", call_id=second, ticks=25)
            desk.do("EndCall", call_id=second)
            desk.expect("call_ended", call_id=second, by="agent", cause="hangup")
            customer.wait()


@pytest.mark.parametrize("why", ["of no call", "on hold"])
def test_call_that_may_not_be_replaced_stays(desk: DeskProcess, peer_dir: Path, why: str) -> None:
    messages = peer_dir / "messages"
    trace = ("-trace_msg", "-message_file", str(messages))
    scenario = "be_held_and_taken_back" if why == "on hold" else "call_until_bye"
    with SippPeer(scenario, peer_dir, target=desk.target, keys={"caller": "1380"}, extra=trace) as colleague:
        first = desk.incoming(answer=True)
        if why == "on hold":
            desk.do("HoldCall", call_id=first)
            desk.ask("wait_answered", call_id=first)
        dialog = dialog_of(messages) if why == "on hold" else "none@example;to-tag=1;from-tag=2"
        code = "603" if why == "on hold" else "481"
        keys = {"caller": "customer", "header": f"Replaces: {dialog}", "code": code}
        with SippPeer("call_with_header_answered_with", peer_dir, target=desk.target, keys=keys) as customer:
            customer.wait()
        if why == "on hold":
            desk.do("ResumeCall", call_id=first)
            desk.expect("hold_ended", call_id=first)
        desk.do("EndCall", call_id=first)
        desk.expect("call_ended", call_id=first, by="agent", cause="hangup")
        colleague.wait()

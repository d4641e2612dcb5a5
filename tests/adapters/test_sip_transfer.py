"""Blind and attended transfer, with SIPp as the customer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.desk_process import DeskProcess
from tests.peers import SippPeer

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

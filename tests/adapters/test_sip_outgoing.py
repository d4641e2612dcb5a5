"""Outgoing calls, to SIPp."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.adapters.desk_process import DeskProcess
from tests.peers import LOOPBACK, SippPeer, free_port

pytestmark = pytest.mark.sip


@pytest.fixture(scope="module")
def trunk_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, trunk_port: int) -> Iterator[DeskProcess]:
    settings = {"trunk.server": f"{LOOPBACK}:{trunk_port}"}
    with DeskProcess(tmp_path_factory.mktemp("desk"), settings) as process:
        yield process


def called(scenario: str, trunk_port: int, directory: Path, hold_ms: int = 300, **keys: str) -> SippPeer:
    return SippPeer(scenario, directory, port=trunk_port, hold_ms=hold_ms, keys=keys)


def test_customer_answers_and_hangs_up(desk: DeskProcess, trunk_port: int, peer_dir: Path) -> None:
    with called("answer_and_hang_up", trunk_port, peer_dir) as sipp:
        desk.do("PlaceCall", call_id="out1", number="95588")
        desk.expect("call_outgoing", number="95588", remote_uri=f"sip:95588@{LOOPBACK}:{trunk_port}")
        desk.expect("call_alerting", call_id="out1")
        desk.expect("call_ended", call_id="out1", by="customer", cause="hangup")
        sipp.wait()
    assert desk.kinds("out1").count("call_answered") == 1
    assert desk.kinds("out1").count("media") == 1


def test_agent_hangs_up_an_outgoing_call(desk: DeskProcess, trunk_port: int, peer_dir: Path) -> None:
    with called("answer_until_bye", trunk_port, peer_dir) as sipp:
        desk.do("PlaceCall", call_id="out2", number="+8610-95588#")
        desk.expect("call_outgoing", remote_uri=f"sip:+8610-95588%23@{LOOPBACK}:{trunk_port}")
        desk.expect("call_answered", call_id="out2")
        desk.do("EndCall", call_id="out2")
        desk.expect("call_ended", call_id="out2", by="agent", cause="hangup", sip_code=0)
        sipp.wait()


@pytest.mark.interop("our number withheld (RFC 3323, RFC 3325), when asked for", peer="SIPp")
def test_our_number_is_withheld(desk: DeskProcess, trunk_port: int, peer_dir: Path) -> None:
    with called("answer_anonymous", trunk_port, peer_dir, ours=f"desk@{LOOPBACK}") as sipp:
        desk.do("PlaceCall", call_id="withheld", number="95588", withheld=True)
        desk.expect("call_answered", call_id="withheld")
        desk.do("EndCall", call_id="withheld")
        desk.expect("call_ended", call_id="withheld", by="agent", cause="hangup")
        sipp.wait()


@pytest.mark.interop("plain 180: ringback of the country made for the agent, until sound comes", peer="SIPp")
def test_agent_hears_ringback_made_here_until_there_is_sound(tmp_path: Path) -> None:
    """Germany's is 425 Hz, 1 s on and 4 s off (ITU-T E.180 supplement 2)."""
    (tmp_path / "desk").mkdir()
    with (
        SippPeer("ring_then_answer", tmp_path, hold_ms=7000) as sipp,
        DeskProcess(
            tmp_path / "desk", {"trunk.server": f"{LOOPBACK}:{sipp.port}", "trunk.country": "DE"}
        ) as desk,
    ):
        desk.do("PlaceCall", call_id="out1", number="95588")
        desk.expect("call_alerting", call_id="out1")
        desk.expect("call_answered", call_id="out1", timeout_s=20)
        desk.ask("wait_ticks", call_id="out1", ticks=100)
        desk.do("EndCall", call_id="out1")
        desk.expect("call_ended", call_id="out1", by="agent")
        sipp.wait()
    heard, rate_hz = soundfile.read(tmp_path / "desk" / "ear.wav")
    block = rate_hz // 50
    blocks = heard[: len(heard) // block * block].reshape(-1, block)
    loud = np.sqrt(np.mean(blocks**2, axis=1)) > 10 ** (-40 / 20)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], loud.astype(int), [0]])))
    bursts = edges.reshape(-1, 2) * 0.02
    assert len(bursts) == 2, "in 7 s of ringing; none once the call is answered"
    assert bursts[0][1] - bursts[0][0] == pytest.approx(1.0, abs=0.04)
    assert bursts[1][0] - bursts[0][0] == pytest.approx(5.0, abs=0.04)
    first = heard[int(bursts[0][0] * rate_hz) :][: rate_hz // 2]
    spectrum = np.abs(np.fft.rfft(first * np.hanning(len(first))))
    assert np.argmax(spectrum) * 2 == pytest.approx(425, abs=2)


@pytest.mark.parametrize(
    ("code", "phrase", "by", "cause"),
    [
        (486, "Busy Here", "customer", "busy"),
        (600, "Busy Everywhere", "customer", "busy"),
        (480, "Temporarily Unavailable", "customer", "no_answer"),
        (603, "Decline", "customer", "rejected"),
        (404, "Not Found", "network", "failed"),
        (503, "Service Unavailable", "network", "failed"),
    ],
)
def test_final_answers_tell_who_and_why(
    desk: DeskProcess, trunk_port: int, peer_dir: Path, code: int, phrase: str, by: str, cause: str
) -> None:
    call_id = f"out{code}"
    with called("refuse", trunk_port, peer_dir, code=str(code), phrase=phrase) as sipp:
        desk.do("PlaceCall", call_id=call_id, number="1")
        desk.expect("call_ended", call_id=call_id, by=by, cause=cause, sip_code=code, reason=phrase)
        sipp.wait()
    assert desk.kinds(call_id) == ["call_outgoing", "call_ended"]


def test_agent_gives_up_while_it_rings(desk: DeskProcess, trunk_port: int, peer_dir: Path) -> None:
    with called("ring_until_cancel", trunk_port, peer_dir) as sipp:
        desk.do("PlaceCall", call_id="out3", number="1")
        desk.expect("call_alerting", call_id="out3")
        desk.do("EndCall", call_id="out3")
        desk.expect("call_ended", call_id="out3", by="agent", cause="cancelled")
        sipp.wait()


def test_200_that_crosses_our_cancel_is_ended_with_bye(
    desk: DeskProcess, trunk_port: int, peer_dir: Path
) -> None:
    with called("answer_into_cancel", trunk_port, peer_dir) as sipp:
        desk.do("PlaceCall", call_id="out4", number="1")
        desk.expect("call_alerting", call_id="out4")
        desk.do("EndCall", call_id="out4")
        desk.expect("call_ended", call_id="out4", by="agent", cause="cancelled")
        sipp.wait()
    assert "call_answered" not in desk.kinds("out4")
    assert "media" not in desk.kinds("out4")


def test_without_a_server_the_call_fails_in_plain_words(tmp_path: Path) -> None:
    with DeskProcess(tmp_path) as desk:
        desk.do("PlaceCall", call_id="out1", number="1")
        desk.expect("call_ended", call_id="out1", by="appliance", cause="failed", sip_code=0)
        assert desk.kinds("out1") == ["call_outgoing", "call_ended"]
        assert desk.all("trunk_changed", state="static")


def test_stop_ends_every_call_once(tmp_path: Path, peer_dir: Path) -> None:
    port = free_port()
    with (
        DeskProcess(tmp_path, {"trunk.server": f"{LOOPBACK}:{port}"}) as desk,
        called("answer_until_bye", port, peer_dir) as sipp,
    ):
        desk.do("PlaceCall", call_id="out1", number="1")
        desk.expect("call_answered", call_id="out1")
        desk.stop()
        sipp.wait()
    assert len(desk.all("call_ended", call_id="out1", by="appliance", cause="interrupted")) == 1
    assert desk.all("stopped")[0]["threads"] == ["MainThread"]

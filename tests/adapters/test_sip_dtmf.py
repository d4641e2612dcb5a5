"""DTMF both ways: RFC 4733 with losses, SIP INFO, tones."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from tests.adapters.desk_process import DeskProcess
from tests.peers import BaresipPeer, SippPeer, wait_until
from tests.rtp import EVENTS, RtpPeer
from thirdring_dsp import DtmfDetector

pytestmark = pytest.mark.sip

LOSS = 0.02


def random_digits(count: int, seed: int) -> str:
    return "".join(random.Random(seed).choices(EVENTS, k=count))


def caller(desk: DeskProcess, directory: Path, rtp: RtpPeer) -> SippPeer:
    keys = {"caller": "1380", **rtp.ports}
    return SippPeer("call_with_media_elsewhere", directory, target=desk.target, keys=keys)


@pytest.fixture(scope="module")
def quick_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    """A desk that sends digits as quickly as ITU-T Q.24 lets it."""
    settings = {"calls.dtmf_ms": 60, "calls.dtmf_pause_ms": 60}
    with DeskProcess(tmp_path_factory.mktemp("desk"), settings) as process:
        yield process


@pytest.mark.interop(
    "DTMF out by RFC 4733, 2 % of the packets lost: none lost or doubled", peer="SIPp, RTP socket"
)
def test_no_event_is_lost_or_doubled_on_its_way_out(quick_desk: DeskProcess, peer_dir: Path) -> None:
    digits = "1155" + random_digits(60, 2)
    with RtpPeer(loss=LOSS, seed=3) as rtp, caller(quick_desk, peer_dir, rtp) as sipp:
        call_id = quick_desk.incoming(answer=True)
        quick_desk.do("SendDigits", call_id=call_id, digits=digits)
        wait_until(lambda: len(rtp.digits) >= len(digits), f"{digits}, not {rtp.digits}", 30.0)
        quick_desk.do("EndCall", call_id=call_id)
        sipp.wait()
        assert rtp.digits == digits
        assert rtp.lost > 0


@pytest.mark.interop(
    "DTMF in by RFC 4733, 2 % of the packets lost: none lost or doubled", peer="SIPp, RTP socket"
)
def test_no_event_is_lost_or_doubled_on_its_way_in(quick_desk: DeskProcess, peer_dir: Path) -> None:
    digits = "1155" + random_digits(60, 4)
    with RtpPeer(loss=LOSS, seed=5) as rtp, caller(quick_desk, peer_dir, rtp) as sipp:
        call_id = quick_desk.incoming(answer=True)
        rtp.press(digits)
        wait_until(
            lambda: len(quick_desk.all("dtmf", call_id=call_id)) >= len(digits), "the digits arrive", 10.0
        )
        quick_desk.do("EndCall", call_id=call_id)
        sipp.wait()
        assert rtp.lost > 0
    came = quick_desk.all("dtmf", call_id=call_id)
    assert "".join(event["digit"] for event in came) == digits
    assert {event["method"] for event in came} == {"event"}


@pytest.mark.interop("DTMF out by SIP INFO", peer="SIPp")
def test_digits_go_out_by_info(peer_dir: Path) -> None:
    (peer_dir / "desk").mkdir()
    keys = {"caller": "1380"}
    with (
        DeskProcess(peer_dir / "desk", {"calls.dtmf_out": "info"}) as desk,
        SippPeer("call_and_await_info", peer_dir, target=desk.target, keys=keys) as sipp,
    ):
        call_id = desk.incoming(answer=True)
        desk.do("SendDigits", call_id=call_id, digits="123", duration_ms=60)
        desk.ask("wait_digits_sent", call_id=call_id, count=3)
        desk.ask("wait_ticks", call_id=call_id, ticks=40)
        desk.do("EndCall", call_id=call_id)
        sipp.wait()


@pytest.mark.interop("DTMF out as tones", peer="baresip")
def test_digits_go_out_as_tones(peer_dir: Path) -> None:
    """Baresip keeps what it hears; the detector of ITU-T Q.24 reads it."""
    (peer_dir / "desk").mkdir()
    silence = peer_dir / "silence.wav"
    soundfile.write(silence, [0.0] * 8000 * 30, 8000)
    digits = "159D*0#A"
    with DeskProcess(peer_dir / "desk", {"calls.dtmf_out": "tone"}) as desk:
        with BaresipPeer(peer_dir, speaks=silence) as peer:
            peer.dial(f"sip:desk@{desk.target}")
            call_id = desk.incoming(answer=True)
            desk.ask("wait_ticks", call_id=call_id, ticks=25)
            desk.do("SendDigits", call_id=call_id, digits=digits, duration_ms=80)
            desk.ask("wait_digits_sent", call_id=call_id, count=len(digits))
            desk.ask("wait_ticks", call_id=call_id, ticks=25 + len(digits) * 9 + 25)
            desk.do("EndCall", call_id=call_id)
            desk.expect("call_ended", call_id=call_id)
            peer.wait_for("CALL_CLOSED")
        heard, rate_hz = soundfile.read(peer.heard, dtype="int16")
    found = DtmfDetector(rate_hz).update(heard)
    assert "".join(event.value for event in found if event.kind == "dtmf") == digits

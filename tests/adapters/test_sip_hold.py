"""Hold and mute, ours and the customer's, with SIPp at the other end."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.adapters.desk_process import DeskProcess
from tests.adapters.test_sip_sound import voiced_s, write_tone
from tests.peers import SCENARIOS, SippPeer
from tests.rtp import RtpPeer
from thirdring_device.adapters.sip.hold import sdp_holds

pytestmark = pytest.mark.sip

MUSIC_HZ = 800.0


def caller(scenario: str, desk: DeskProcess, directory: Path, **keys: str) -> SippPeer:
    return SippPeer(scenario, directory, target=desk.target, keys={"caller": "1380", **keys})


@pytest.mark.interop("our hold and resume by re-INVITE (RFC 3264)", peer="SIPp")
def test_our_hold_and_resume_are_told_by_re_invite(desk: DeskProcess, peer_dir: Path) -> None:
    with caller("be_held_and_taken_back", desk, peer_dir) as sipp:
        call_id = desk.incoming(answer=True)
        desk.do("MuteCall", call_id=call_id, on=True)
        desk.expect("mute_started", call_id=call_id)
        desk.do("HoldCall", call_id=call_id)
        desk.expect("mute_ended", call_id=call_id)
        started = desk.expect("hold_started", call_id=call_id, by="agent")
        desk.do("HoldCall", call_id=call_id)
        desk.ask("wait_answered", call_id=call_id)
        desk.do("ResumeCall", call_id=call_id)
        ended = desk.expect("hold_ended", call_id=call_id, by="agent")
        desk.do("EndCall", call_id=call_id)
        desk.expect("call_ended", call_id=call_id, by="agent", cause="hangup")
        sipp.wait()
    assert len(desk.all("hold_started", call_id=call_id)) == 1
    assert not desk.all("hold_started", call_id=call_id, by="customer")
    assert ended["at_s"] > started["at_s"]
    assert desk.kinds(call_id).count("media") == 1, "one sound for the whole call"


@pytest.mark.interop("our hold refused (488): the customer is held all the same", peer="SIPp")
def test_hold_that_the_other_side_refuses_parts_the_sound_all_the_same(
    desk: DeskProcess, peer_dir: Path
) -> None:
    with caller("refuse_to_be_held", desk, peer_dir, code="488 Not Acceptable Here") as sipp:
        call_id = desk.incoming(answer=True)
        desk.do("HoldCall", call_id=call_id)
        desk.expect("hold_started", call_id=call_id, by="agent")
        desk.ask("wait_answered", call_id=call_id)
        desk.do("ResumeCall", call_id=call_id)
        desk.expect("hold_ended", call_id=call_id, by="agent")
        desk.do("EndCall", call_id=call_id)
        desk.expect("call_ended", call_id=call_id, by="agent", cause="hangup")
        sipp.wait()


@pytest.mark.interop("our hold meets another re-INVITE (491): told again", peer="SIPp")
def test_hold_is_told_again_after_a_glare(desk: DeskProcess, peer_dir: Path) -> None:
    with caller("glare_then_be_held", desk, peer_dir) as sipp:
        call_id = desk.incoming(answer=True)
        desk.do("HoldCall", call_id=call_id)
        desk.expect("hold_started", call_id=call_id, by="agent")
        desk.expect("call_ended", call_id=call_id, by="customer", cause="hangup")
        sipp.wait()


@pytest.mark.interop("the customer's hold, sendonly and inactive, told apart from ours", peer="SIPp")
def test_the_customers_hold_is_told_apart(desk: DeskProcess, peer_dir: Path) -> None:
    with caller("hold_and_resume", desk, peer_dir) as sipp:
        call_id = desk.incoming(answer=True)
        desk.expect("hold_started", call_id=call_id, by="customer")
        desk.expect("hold_ended", call_id=call_id, by="customer")
        desk.expect("call_ended", call_id=call_id, by="customer", cause="hangup")
        sipp.wait()
    assert len(desk.all("hold_started", call_id=call_id)) == 1, "sendonly, then inactive: one hold"


@pytest.mark.interop("mute", peer="SIPp")
def test_muted_microphone_is_silence_to_everybody(desk: DeskProcess, peer_dir: Path) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(16000 * 6) / 16000) * 0.3
    soundfile.write(peer_dir / "tone.wav", tone, 16000)
    with caller("call_until_bye", desk, peer_dir) as sipp:
        call_id = desk.incoming(answer=True)
        desk.ask("speak", path=str(peer_dir / "tone.wav"))
        desk.ask("wait_ticks", call_id=call_id, ticks=25)
        desk.do("MuteCall", call_id=call_id, on=True)
        desk.expect("mute_started", call_id=call_id)
        desk.do("MuteCall", call_id=call_id, on=True)
        desk.ask("wait_ticks", call_id=call_id, ticks=75)
        desk.do("MuteCall", call_id=call_id, on=False)
        desk.expect("mute_ended", call_id=call_id)
        desk.do("EndCall", call_id=call_id)
        desk.expect("media_finished", call_id=call_id)
        desk.do("stop_speaking")
        sipp.wait()
    assert len(desk.all("mute_started", call_id=call_id)) == 1
    sound, _ = soundfile.read(desk.directory / f"{call_id}.wav", dtype="int16")
    mouth = np.abs(sound[:, 0].astype(int))
    assert mouth[16000 // 5 : 16000 // 2].max() > 5000
    assert mouth[int(16000 * 0.6) : int(16000 * 1.4)].max() == 0


@pytest.mark.parametrize(
    ("lines", "holds"),
    [
        ("a=sendonly", True),
        ("a=inactive", True),
        ("a=recvonly", False),
        ("a=sendrecv", False),
        ("", False),
    ],
)
def test_hold_is_read_from_the_direction(lines: str, holds: bool) -> None:
    head = "INVITE sip:x SIP/2.0\r\nContent-Type: application/sdp\r\n\r\n"
    body = f"v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 8\r\n{lines}\r\n"
    assert sdp_holds(head + body) is holds
    assert sdp_holds(head + body.replace("10.0.0.1", "0.0.0.0")) is True
    assert sdp_holds("INVITE sip:x SIP/2.0\r\nContent-Length: 0\r\n\r\n") is None


@pytest.mark.interop("the held customer hears music, or silence as set", peer="SIPp, RTP socket")
@pytest.mark.parametrize("sound", ["music", "silence"])
def test_held_customer_hears_what_is_set(tmp_path: Path, sound: str) -> None:
    (tmp_path / "desk").mkdir()
    music = write_tone(tmp_path / "music.wav", MUSIC_HZ, 44100, 0.5)
    settings = {"calls.hold_sound": str(music)} if sound == "music" else {}
    with DeskProcess(tmp_path / "desk", settings) as desk, RtpPeer() as rtp:
        scenario = tmp_path / "be_held.xml"
        text = (SCENARIOS / "be_held_and_taken_back.xml").read_text(encoding="utf-8")
        scenario.write_text(text.replace("[media_port]", str(rtp.port)), encoding="utf-8")
        with SippPeer(scenario, tmp_path, target=desk.target, keys={"caller": "1380"}) as sipp:
            call_id = desk.incoming(answer=True)
            desk.ask("wait_ticks", call_id=call_id, ticks=50)
            desk.do("HoldCall", call_id=call_id)
            desk.ask("wait_answered", call_id=call_id)
            desk.ask("wait_ticks", call_id=call_id, ticks=50 + 150)
            desk.do("ResumeCall", call_id=call_id)
            desk.expect("hold_ended", call_id=call_id)
            desk.ask("wait_ticks", call_id=call_id, ticks=50 + 150 + 50)
            desk.do("EndCall", call_id=call_id)
            sipp.wait()
        music_s = voiced_s(rtp.heard / 32768, 8000, MUSIC_HZ)
        ending = rtp.heard[-8000 // 2 :]
    if sound == "silence":
        assert music_s == 0.0
    else:
        assert 2.5 <= music_s <= 3.5, "three seconds of hold, and no longer"
        assert np.abs(ending).max() <= 8, "the smallest step of A-law"

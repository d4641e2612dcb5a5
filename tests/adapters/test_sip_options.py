"""What the settings of [sip] do on the wire: codecs, session timers, PRACK; and what RTCP told of a call."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from tests.adapters.desk_process import DeskProcess
from tests.dsp import signals
from tests.peers import LOOPBACK, BaresipPeer, SippPeer, free_port
from tests.rtp import WIRE_MS, RtpPeer

pytestmark = pytest.mark.sip


def invite_of(folder: Path, settings: dict[str, Any], scenario: str = "answer_until_bye") -> str:
    """Return the INVITE that a desk with ``settings`` sends."""
    messages = folder / "messages"
    port = free_port()
    with (
        DeskProcess(folder, {"trunk.server": f"{LOOPBACK}:{port}", **settings}) as desk,
        SippPeer(scenario, folder, port=port, extra=("-trace_msg", "-message_file", str(messages))) as sipp,
    ):
        desk.do("PlaceCall", call_id="out1", number="95588")
        desk.expect("call_answered", call_id="out1")
        desk.do("EndCall", call_id="out1")
        desk.expect("call_ended", call_id="out1", by="agent")
        sipp.wait()
    said = messages.read_text(encoding="utf-8")
    found = re.search(r"^INVITE .*?(?=^-{20})", said, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[0]


def header(message: str, name: str) -> str:
    found = re.search(rf"^{name}\s*:\s*(.*?)\s*$", message, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else ""


@pytest.mark.interop("codecs offered in the order of the setting, no other", peer="SIPp")
@pytest.mark.parametrize(
    ("codecs", "payloads"), [(["PCMU", "G722", "PCMA"], "0 9 8"), (["PCMA"], "8"), (["G722", "PCMA"], "9 8")]
)
def test_codecs_are_offered_in_the_order_of_the_setting(
    tmp_path: Path, codecs: list[str], payloads: str
) -> None:
    invite = invite_of(tmp_path, {"sip.codecs": codecs})
    offered = re.search(r"^m=audio \d+ RTP/AVP ([\d ]+)", invite, re.MULTILINE)
    assert offered is not None
    known = [payload for payload in offered[1].split() if int(payload) < 96]
    assert known == payloads.split()


@pytest.mark.interop("session timers (RFC 4028): off and optional", peer="SIPp")
@pytest.mark.parametrize("use", ["off", "optional"])
def test_session_timer_is_asked_for_as_set(tmp_path: Path, use: str) -> None:
    invite = invite_of(tmp_path, {"sip.session_timers": use, "sip.session_expires_s": 600})
    assert ("timer" in header(invite, "Supported")) == (use != "off")
    assert header(invite, "Session-Expires") == ("" if use == "off" else "600")


@pytest.mark.interop("session timers required: in our INVITE, of callers (421)", peer="SIPp")
def test_session_timer_is_required_as_set(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "in").mkdir()
    required = {"sip.session_timers": "required", "sip.session_expires_s": 600}
    invite = invite_of(tmp_path / "out", required, "answer_with_timer")
    assert "timer" in header(invite, "Require")
    assert header(invite, "Session-Expires") == "600"
    refused_with_421(tmp_path / "in", required, "timer")


def test_call_without_the_session_timer_that_is_required_is_ended_by_our_side(tmp_path: Path) -> None:
    with (
        SippPeer("answer_until_bye", tmp_path) as peer,
        DeskProcess(
            tmp_path, {"trunk.server": f"{LOOPBACK}:{peer.port}", "sip.session_timers": "required"}
        ) as desk,
    ):
        desk.do("PlaceCall", call_id="out1", number="95588")
        desk.expect("call_ended", call_id="out1", by="network", cause="lost")


@pytest.mark.interop("session refreshed by us (UPDATE, RFC 4028) when half its interval is over", peer="SIPp")
def test_session_is_refreshed_by_us(tmp_path: Path) -> None:
    with (
        DeskProcess(tmp_path) as desk,
        SippPeer(
            "call_and_be_refreshed", tmp_path, target=desk.target, keys={"caller": "100"}, rtp_echo=True
        ) as sipp,
    ):
        call_id = desk.incoming(answer=True)
        answered_s = desk.all("call_answered", call_id=call_id)[0]["at_s"]
        # RFC 4028 clause 10: half the interval of 90 s is a good time.
        ended = desk.expect("call_ended", by="customer", cause="hangup", timeout_s=60)
        assert 40 <= ended["at_s"] - answered_s <= 55
        sipp.wait()


@pytest.mark.interop("PRACK required: in our INVITE and done, of callers (421)", peer="SIPp")
def test_reliable_responses_are_required_as_set(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    required = {"sip.prack": "required"}
    with (
        SippPeer("answer_reliably", tmp_path) as sipp,
        DeskProcess(tmp_path, {"trunk.server": f"{LOOPBACK}:{sipp.port}", **required}) as desk,
    ):
        desk.do("PlaceCall", call_id="out1", number="95588")
        desk.expect("call_answered", call_id="out1")
        desk.do("EndCall", call_id="out1")
        desk.expect("call_ended", call_id="out1", by="agent")
        sipp.wait()
    refused_with_421(tmp_path / "in", required, "100rel")


def refused_with_421(folder: Path, settings: dict[str, Any], extension: str) -> None:
    """Call a desk that requires an extension which the caller does not name (RFC 3261 clause 21.4.15)."""
    messages = folder / "messages"
    keys = {"caller": "100", "header": "Subject: none", "code": "421"}
    trace = ("-trace_msg", "-message_file", str(messages))
    with (
        DeskProcess(folder, settings) as desk,
        SippPeer(
            "call_with_header_answered_with", folder, target=desk.target, keys=keys, extra=trace
        ) as sipp,
    ):
        sipp.wait()
        assert not desk.all("call_incoming")
    refusal = messages.read_text(encoding="utf-8").partition("SIP/2.0 421")[2]
    assert extension in header(refusal, "Require")


@pytest.mark.interop("reliable 180 with PRACK (RFC 3262), session timer: as the caller asks", peer="SIPp")
def test_caller_that_insists_on_reliable_responses_gets_them(tmp_path: Path) -> None:
    messages = tmp_path / "messages"
    trace = ("-trace_msg", "-message_file", str(messages))
    with (
        DeskProcess(tmp_path) as desk,
        SippPeer("call_reliably", tmp_path, target=desk.target, keys={"caller": "100"}, extra=trace) as sipp,
    ):
        desk.incoming(answer=True)
        desk.expect("call_ended", by="customer", cause="hangup")
        sipp.wait()
    # The answers to PRACK and to INVITE may overtake each other.
    accepted = messages.read_text(encoding="utf-8").split("SIP/2.0 200")[1:]
    by_request = {header(answer, "CSeq").split()[-1]: answer for answer in accepted}
    assert by_request.keys() == {"PRACK", "INVITE", "BYE"}
    assert "1800" in header(by_request["INVITE"], "Session-Expires")


@pytest.mark.interop("Opus, where the stack has it; else the next codec of the list", peer="baresip")
def test_call_with_opus_or_the_next_codec(tmp_path: Path) -> None:
    codec = "opus" if "opus" in stack_codecs() else "PCMA"
    with (
        DeskProcess(tmp_path, {"sip.codecs": ["opus", "PCMA"]}) as desk,
        BaresipPeer(tmp_path, speaks=speech(tmp_path, codec), codec=codec) as peer,
    ):
        peer.dial(f"sip:desk@{desk.target}")
        call_id = desk.incoming(answer=True)
        peer.wait_for("CALL_RTPESTAB")
        desk.do("EndCall", call_id=call_id)
        assert desk.expect("call_quality", call_id=call_id)["codec"] == codec


@pytest.mark.interop("RTCP: loss, jitter and E-model estimate of the call", peer="baresip")
def test_figures_of_a_call_come_from_rtcp(tmp_path: Path) -> None:
    with DeskProcess(tmp_path) as desk, BaresipPeer(tmp_path, speaks=speech(tmp_path)) as peer:
        peer.dial(f"sip:desk@{desk.target}")
        call_id = desk.incoming(answer=True)
        peer.wait_for("CALL_RTPESTAB")
        told = figures_after_reports(desk, call_id)
    assert told["codec"] == "PCMA"
    assert told["encrypted"] is False
    assert told["received"] >= 500
    assert told["sent"] >= 500
    assert told["lost_percent"] == 0.0
    assert told["sent_lost_percent"] == 0.0
    # baresip tells its delay in whole milliseconds, at times more than the way takes: then none is known.
    assert 0.0 <= (told["round_trip_ms"] or 0.0) < 100.0
    assert told["heard_mos"] >= 4.0
    assert told["sent_mos"] >= 4.0


@pytest.mark.interop("RTCP: round trip of a wire of 40 ms", peer="SIPp, RTP socket")
def test_round_trip_is_that_of_the_wire(tmp_path: Path) -> None:
    with RtpPeer() as rtp, DeskProcess(tmp_path) as desk:
        keys = {"caller": "1380", **rtp.ports}
        with SippPeer("call_with_media_elsewhere", tmp_path, target=desk.target, keys=keys) as sipp:
            told = figures_after_reports(desk, desk.incoming(answer=True))
            sipp.wait()
    assert WIRE_MS - 1.0 <= told["round_trip_ms"] < WIRE_MS + 60.0


def figures_after_reports(desk: DeskProcess, call_id: str) -> dict[str, Any]:
    """End a call once both sides have reported: each 2.5 to 7.5 s (RFC 3550 clause 6.3.1)."""
    desk.do("wait_ticks", call_id=call_id, ticks=800)
    desk.expect("wait_ticks", timeout_s=40)
    desk.do("EndCall", call_id=call_id)
    return desk.expect("call_quality", call_id=call_id)


def speech(folder: Path, codec: str = "PCMA") -> Path:
    """Return speech at the rate and with the channels that baresip needs for ``codec``."""
    path = folder / "speech.wav"
    sound = signals.synthetic_mandarin()
    if codec == "opus":
        wide = resample_poly(sound, 6, 1)
        soundfile.write(path, signals.to_int16(np.column_stack((wide, wide))), 48000, "PCM_16")
    else:
        soundfile.write(path, signals.to_int16(sound), 8000, "PCM_16")
    return path


def stack_codecs() -> list[str]:
    command = [sys.executable, "-m", "thirdring_device.cli", "selftest", "--json"]
    return list(json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["codecs"])
